"""Rust: a module with a rustls verifier that asks for pins on the path that webpki verified."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.generated import generated
from pinwarden.pinning.formats.literals import code_list, code_string, notes
from pinwarden.pinning.formats.rows import Row
from pinwarden.pinning.formats.rust_code import CODE
from pinwarden.pinning.pinset import PinSet

__all__ = ["write"]


def write(pins: PinSet, writing: Writing) -> Export:
    """`pins.rs`, for rustls 0.23 and rustls-webpki 0.103."""
    return generated("pins.rs", CODE, pins, _row)


def _row(row: Row) -> Iterator[str]:
    for note in notes(row.policy):
        yield f"    // {note}"
    yield "    Policy {"
    yield f"        host: {code_string(row.host)},"
    yield f"        include_subdomains: {'true' if row.include_subdomains else 'false'},"
    yield f"        exclude: &[{code_list(row.exclude)}],"
    yield f"        enforce: {'true' if row.enforce else 'false'},"
    yield f"        expires: {code_string(row.expires)},"
    yield f"        on_expiry: {code_string(row.on_expiry)},"
    yield f"        leaf: &[{code_list(row.leaf)}],"
    yield f"        ca: &[{code_list(row.ca)}],"
    yield f"        forbidden: &[{code_list(row.forbidden)}],"
    yield "    },"
