"""A source of bundles for tests, a shelf that it fetches from, and work for other processes.

A process that is started anew finds this module wherever pytest was started; not so a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pinwarden.clients.bundle import BundleSource
from pinwarden.pinning.bundle import BundleFile
from support.pin_bundles import KEYS, NAME, file_of, fresh, octets_of


class Shelf:
    """Where a source fetches: what it gives is set by the test."""

    def __init__(self, file: BundleFile | bytes | Exception) -> None:
        self.file = file
        self.asked = 0

    def __call__(self) -> bytes:
        self.asked += 1
        if isinstance(self.file, Exception):
            raise self.file
        return self.file if isinstance(self.file, bytes) else octets_of(self.file)


def source(shelf: Any, cache: Path | None = None, **options: Any) -> BundleSource:
    usual = {"name": NAME, "keys": KEYS.keys, "threshold": 2, "when_stale": "closed"}
    return BundleSource(shelf, cache=cache, **(usual | options))


def refreshed(cache: str, version: int) -> int:
    """In a process of its own: fetch one version, and say which one is in force then."""
    bundles = source(Shelf(file_of(fresh(version))), Path(cache))
    return bundles.refresh().state.version or 0


def writing_on(cache: str) -> None:
    """In a process of its own: newer and newer bundles, until it is killed."""
    shelf = Shelf(b"")
    bundles = source(shelf, Path(cache))
    for version in range(1, 1_000_000):
        shelf.file = file_of(fresh(version))
        bundles.refresh()
