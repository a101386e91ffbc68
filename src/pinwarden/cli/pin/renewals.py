"""The certificates that the store has seen of a host: how it renews."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pinwarden.cli.reading import read_store, store_url
from pinwarden.errors import MalformedError
from pinwarden.names import name_touches
from pinwarden.pinning.rotation.habit import Issuance
from pinwarden.store.contract import SightingFilter, Store
from pinwarden.verdicts import Verdict
from pinwarden.watch.sighting import Sighting, SightingKind
from pinwarden.x509.certificate import view_certificate

__all__ = ["issuance_of", "issuances_seen"]

_PAGE, _MOST = 500, 200_000
# Arithmetic with dates must stay inside the calendar: 9999-12-31 is an end "never".
_FIRST_YEAR, _LAST_YEAR = 1950, 9000


def issuance_of(certificate: bytes) -> Issuance | None:
    """The certificate served as one of a row; None if its dates cannot be used."""
    try:
        view = view_certificate(certificate)
        return _issuance(view.not_before, view.not_after, bytes(view.spki_hash))
    except MalformedError:
        return None


def issuances_seen(
    host: str, certificate: bytes, *, store: str | None, config_file: Path | None
) -> tuple[Issuance, ...]:
    """What was logged for a host; raises `StoreError` if there is no store.

    If certificates with just the names of the one served were seen, then those alone:
    others may be for other servers. Those that are told to be an attacker's are left out.
    """

    async def read(opened: Store) -> list[Sighting]:
        found: list[Sighting] = []
        after: int | None = None
        for _ in range(_MOST // _PAGE):
            page = await opened.sightings(SightingFilter(after=after), limit=_PAGE)
            found += [each.sighting for each in page if _is_for(host, each.sighting)]
            if len(page) < _PAGE:
                break
            after = page[-1].id
        return found

    seen = read_store(store_url(store, config_file), read)
    names = frozenset(view_certificate(certificate).identifiers().dns)
    alike = [each for each in seen if frozenset(each.names) == names]
    return tuple(
        issuance
        for each in alike or seen
        if each.not_before and each.not_after and each.spki_sha256
        if (issuance := _issuance(each.not_before, each.not_after, each.spki_sha256))
    )


def _is_for(host: str, sighting: Sighting) -> bool:
    return (
        sighting.kind is SightingKind.CERTIFICATE
        and sighting.verdict is not Verdict.UNAUTHORIZED
        and any(name_touches(name, host, False) for name in sighting.names)
    )


def _issuance(not_before: datetime, not_after: datetime, spki_sha256: bytes) -> Issuance | None:
    if not _FIRST_YEAR < not_before.year <= not_after.year < _LAST_YEAR or not_before >= not_after:
        return None
    return Issuance(not_before=not_before, not_after=not_after, spki_sha256=spki_sha256)
