"""The kinds of database that a store can stand on, each of which passes the contract."""

from __future__ import annotations

from pathlib import Path

from pinwarden.store.contract import Store
from pinwarden.store.store import open_store

# Kinds whose content outlives the store that wrote it.
DURABLE = ("sqlite file",)
KINDS = (*DURABLE, "sqlite memory")


class Opener:
    """Opens stores on one database, and closes those a test left open."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: list[Store] = []

    async def __call__(self) -> Store:
        store = await open_store(self.url)
        self._opened.append(store)
        return store

    async def close(self) -> None:
        for store in self._opened:
            await store.close()


def url_of(kind: str, folder: Path) -> str:
    """The URL of an empty database of one kind."""
    return {
        "sqlite file": f"sqlite:///{folder / 'pinwarden.db'}",
        "sqlite memory": "sqlite:///:memory:",
    }[kind]
