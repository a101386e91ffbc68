"""A source of bundles for tests, and a shelf that it fetches them from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pinwarden.clients.bundle import BundleSource
from pinwarden.pinning.bundle import BundleFile
from support.pin_bundles import KEYS, NAME, octets_of


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
