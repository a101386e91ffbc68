"""Looks for known clients among what is loaded and what is installed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from pinwarden.clients.inventory.beyond import BEYOND
from pinwarden.clients.inventory.gap import Covered, Gap
from pinwarden.clients.inventory.rows import ClientRow, Reach
from pinwarden.clients.inventory.state import STATE_NAMES, gaps_in_state, installed
from pinwarden.clients.inventory.with_context import REACHED, STANDARD

__all__ = ["client_names", "covered_clients", "distributions", "find_gaps"]


def find_gaps(
    *, under_install: bool | None = None, present: Mapping[str, str] | None = None
) -> list[Gap]:
    """Every known client here that is not held to pins; those in use first.

    A client that makes contexts of its own is a gap unless `install()` is in force;
    `under_install` says so, by default as it is now. `present` maps the normalised names
    of installed distributions to versions; by default those on `sys.path`.
    """
    reached = installed() if under_install is None else under_install
    found = distributions() if present is None else present
    gaps = list(gaps_in_state())
    for row in (*BEYOND, *REACHED):
        if row.reach is Reach.CONTEXT or (row.reach is Reach.INSTALL and reached):
            continue
        for version, in_use in _sighted(row, found):
            gaps.append(Gap(row.name, version, in_use, row.why, row.how))
    return sorted(gaps, key=lambda gap: (not gap.in_use, gap.client.lower()))


def covered_clients(*, present: Mapping[str, str] | None = None) -> list[Covered]:
    """Every known client here that pins can be put into: the standard library's first."""
    found = distributions() if present is None else present
    python = ".".join(map(str, sys.version_info[:3]))
    covered = [
        Covered(row.name, python, row.modules[0] in sys.modules, row.how, row.proven)
        for row in STANDARD
    ]
    for row in sorted(REACHED, key=lambda row: row.name.lower()):
        for version, in_use in _sighted(row, found):
            covered.append(Covered(row.name, version, in_use, row.how, row.proven))
    return covered


def client_names() -> frozenset[str]:
    """The names of every client that could be found, in lower case."""
    rows = (*BEYOND, *REACHED, *STANDARD)
    return frozenset(name.lower() for name in (*(row.name for row in rows), *STATE_NAMES))


def distributions(path: Iterable[str] | None = None) -> dict[str, str]:
    """Versions of installed distributions by normalised name; the first on the path counts.

    One whose metadata cannot be read is passed over: that of a client in use is found by
    its modules all the same.
    """
    # Reading metadata loads an e-mail parser: only who asks pays.
    from importlib import metadata

    versions: dict[str, str] = {}
    for each in metadata.distributions(path=list(sys.path if path is None else path)):
        # Foreign files, in any state.
        with suppress(Exception):
            name, version = each.metadata["Name"], each.version
            if name:
                versions.setdefault(_normalised(str(name)), str(version or ""))
    return versions


def _sighted(row: ClientRow, found: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Version and whether in use, once, if the client is here at all."""
    versions = [found[name] for name in map(_normalised, row.distributions) if name in found]
    in_use = any(name in sys.modules for name in row.modules)
    if versions or in_use:
        yield (versions or [""])[0], in_use


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
