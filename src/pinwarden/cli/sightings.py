"""`pinwarden sightings`: certificates seen, with verdicts and evidence."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click

from pinwarden.cli.compare import compare
from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.reading import (
    config_option,
    json_option,
    parse_moment,
    read_store,
    store_option,
    store_url,
)
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.render import sighting_json
from pinwarden.store.contract import SightingFilter, Store, StoredSighting
from pinwarden.watch.sighting import Sighting, SightingKind, Verdict

_PAGE = 500


@click.group()
def sightings() -> None:
    """Certificates seen in the logs for watched names."""


sightings.add_command(compare)


@sightings.command("list")
@store_option
@config_option
@json_option
@click.option("--matched", metavar="ITEM", help="Only those of one item of the watch list.")
@click.option("--verdict", type=click.Choice([str(v) for v in Verdict]), help="Only these.")
@click.option("--since", metavar="TIME", help="Only those first seen since then.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def list_(
    store: str | None,
    config_file: Path | None,
    as_json: bool,
    matched: str | None,
    verdict: str | None,
    since: str | None,
    limit: int | None,
) -> None:
    """One line a certificate, oldest first."""
    chosen = SightingFilter(
        matched=matched,
        verdict=Verdict(verdict) if verdict else None,
        since=parse_moment(since, "--since"),
    )

    async def read(opened: Store) -> int:
        count = 0
        async for stored in _pages(opened, chosen, limit):
            count += 1
            if as_json:
                answer_json(sighting_document(stored))
            else:
                answer(_line(stored))
        return count

    count = read_store(store_url(store, config_file), read)
    if not count:
        say("no sightings")


@sightings.command("show")
@click.argument("key")
@store_option
@config_option
@json_option
def show(key: str, store: str | None, config_file: Path | None, as_json: bool) -> int:
    """Everything about one certificate; KEY is its tbs_sha256 in hex, or its number."""

    async def read(opened: Store) -> StoredSighting | None:
        return await opened.sighting(_which(key))

    stored = read_store(store_url(store, config_file), read)
    if stored is None:
        raise ConfigError(
            f"sighting {quoted(key)}: there is none", hint="`pinwarden sightings list`"
        )
    if as_json:
        answer_json(sighting_document(stored))
        return ExitCode.OK
    answer(_described(stored))
    return ExitCode.OK


@sightings.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@store_option
@config_option
@json_option
def export(folder: Path, store: str | None, config_file: Path | None, as_json: bool) -> int:
    """Write each certificate, as it was logged, and its JSON into FOLDER."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"folder {quoted(str(folder))}: {error.strerror}") from error

    async def read(opened: Store) -> int:
        count = 0
        async for listed in _pages(opened, SightingFilter(), None):
            stored = await opened.sighting(listed.id)
            if stored is not None:
                _write(folder, stored)
                count += 1
        return count

    count = read_store(store_url(store, config_file), read)
    if as_json:
        answer_json({"folder": str(folder), "sightings": count})
    else:
        say(f"wrote {count} sightings to {folder}")
    return ExitCode.OK


async def _pages(
    store: Store, chosen: SightingFilter, limit: int | None
) -> AsyncIterator[StoredSighting]:
    """All sightings that meet the conditions, a page at a time."""
    import dataclasses

    left = limit
    while left is None or left > 0:
        page = await store.sightings(chosen, limit=_PAGE if left is None else min(left, _PAGE))
        for stored in page:
            yield stored
        if not page:
            return
        left = None if left is None else left - len(page)
        chosen = dataclasses.replace(chosen, after=page[-1].id)


def sighting_document(stored: StoredSighting) -> dict[str, Any]:
    """The documented JSON object of one sighting."""
    document: dict[str, Any] = dict(sighting_json(stored.sighting, stored.references))
    document["id"] = stored.id
    document["first_seen"] = stored.first_seen.isoformat().replace("+00:00", "Z")
    return document


def _which(key: str) -> int | bytes:
    if key.isdecimal() and len(key) < 19:
        return int(key)
    try:
        return bytes.fromhex(key)
    except ValueError:
        raise ConfigError(
            f"sighting {quoted(key)}: neither a number nor a SHA-256 in hex"
        ) from None


def _line(stored: StoredSighting) -> str:
    sighting = stored.sighting
    absent = "(unreadable)" if sighting.kind is SightingKind.UNREADABLE else "(no names)"
    names = ", ".join(display(name) for name in sighting.names[:3]) or absent
    more = f" and {len(sighting.names) - 3} more" if len(sighting.names) > 3 else ""
    return (
        f"{stored.id:>6}  {stored.first_seen:%Y-%m-%d %H:%M}  {sighting.verdict:<20} "
        f"{names}{more}  ({display(sighting.issuer) or 'issuer unreadable'})"
    )


def _described(stored: StoredSighting) -> str:
    sighting = stored.sighting
    rows = [
        ("names", ", ".join(display(name) for name in sighting.names)),
        ("watched", ", ".join(display(item) for item in sighting.matched)),
        ("verdict", f"{sighting.verdict}: {'; '.join(map(display, sighting.reasons))}"),
        ("issuer", display(sighting.issuer)),
        ("subject", display(sighting.subject)),
        ("serial", display(sighting.serial)),
        ("valid", f"{sighting.not_before} to {sighting.not_after}"),
        ("key", display(sighting.key_description)),
        ("problems", "; ".join(display(problem) for problem in sighting.problems)),
        ("first seen", f"{stored.first_seen:%Y-%m-%d %H:%M:%S} UTC"),
        ("identity", sighting.key.hex()),
    ]
    rows += [
        (
            "logged",
            f"{display(place.log)} entry {place.index} ({place.entry_type}), "
            + ("proven by a signed tree head" if place.verified else "not yet proven"),
        )
        for place in stored.references
    ]
    width = max(len(name) for name, _ in rows)
    text = "\n".join(f"{name:<{width}}  {value}" for name, value in rows if value)
    return f"{text}\n{_pem(sighting)}" if sighting.der else text


def _pem(sighting: Sighting) -> str:
    label = _label(sighting)
    body = "\n".join(textwrap.wrap(base64.b64encode(sighting.der).decode("ascii"), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----"


def _label(sighting: Sighting) -> str:
    """What `der` is, so that no other program is given a leaf as a certificate."""
    from pinwarden.x509.certificate import view_certificate

    if sighting.kind is SightingKind.UNREADABLE:
        return "MERKLE TREE LEAF"
    try:
        view_certificate(sighting.der)
    except MalformedError:
        return "TBSCERTIFICATE"
    return "CERTIFICATE"


def _write(folder: Path, stored: StoredSighting) -> None:
    stem = folder / stored.sighting.key.hex()
    import json

    try:
        stem.with_suffix(".der").write_bytes(stored.sighting.der)
        stem.with_suffix(".json").write_text(
            json.dumps(sighting_document(stored), indent=2, ensure_ascii=True) + "\n", "utf-8"
        )
    except OSError as error:
        raise ConfigError(f"file {quoted(str(stem))}: {error.strerror}") from error
