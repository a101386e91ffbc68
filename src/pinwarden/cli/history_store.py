"""The store as a source of history: what our own monitor has seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from types import TracebackType
from typing import Self

from pinwarden.errors import MalformedError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.net.history.contract import concerns, is_wanted
from pinwarden.store.contract import SightingFilter, Store, StoredSighting
from pinwarden.watch.sighting import SightingKind
from pinwarden.x509.certificate import view_certificate

__all__ = ["StoreSource"]

_PAGE = 500


class StoreSource:
    """Every issuance that was seen in a log for watched names; others were never kept."""

    def __init__(self, url: str) -> None:
        self.description = "store"
        self.notes: list[str] = []
        self._url = url
        self._store: Store | None = None

    async def __aenter__(self) -> Self:
        from pinwarden.cli.wiring import opened_store

        self._store = await opened_store(self._url, create=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._store is not None:
            await self._store.close()

    async def search(
        self, name: str, *, below: bool, since: datetime | None, expired: bool, at: datetime
    ) -> AsyncIterator[PastIssuance]:
        """Every sighting that concerns a name; see `HistorySource`."""
        assert self._store is not None, "used outside `async with`"
        unreadable = concerned = 0
        chosen = SightingFilter()
        while page := await self._store.sightings(chosen, limit=_PAGE):
            for stored in page:
                sighting = stored.sighting
                if sighting.kind is SightingKind.UNREADABLE:
                    unreadable += 1
                    continue
                if not concerns(sighting.names, name, below=below):
                    continue
                concerned += 1
                found = _issuance(await self._store.sighting(stored.id) or stored)
                if found is None:
                    unreadable += 1
                elif is_wanted(found, since=since, expired=expired, at=at):
                    yield found
            chosen = SightingFilter(after=page[-1].id)
        if not concerned:
            self._note(f"store: has nothing for {quoted(name)}; it keeps what is watched, no more")
        if unreadable:
            self._note(f"store: {unreadable} sightings cannot be read and may concern any name")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _issuance(stored: StoredSighting) -> PastIssuance | None:
    """None where its dates could not be read."""
    sighting = stored.sighting
    if sighting.not_before is None or sighting.not_after is None:
        return None
    return PastIssuance(
        names=sighting.names,
        issuer=sighting.issuer,
        not_before=sighting.not_before,
        not_after=sighting.not_after,
        source="store",
        reference=str(stored.id),
        serial=sighting.serial,
        seen=min((each.timestamp for each in stored.references), default=stored.first_seen),
        tbs_sha256=sighting.tbs_sha256,
        certificate_sha256=sighting.fingerprint,
        spki_sha256=sighting.spki_sha256,
        der=_certificate(sighting.der),
        problems=sighting.problems,
    )


def _certificate(der: bytes) -> bytes | None:
    """Octets that are a certificate or precertificate, and not a bare TBSCertificate."""
    try:
        return view_certificate(der).der
    except MalformedError:
        return None
