"""The certificates that the store has seen of a host: how it renews."""

from __future__ import annotations

from pathlib import Path

from pinwarden.cli.reading import read_store, store_url
from pinwarden.errors import MalformedError
from pinwarden.names import label_matches
from pinwarden.pinning.rotation.habit import Issuance
from pinwarden.store.contract import SightingFilter, Store
from pinwarden.watch.sighting import SightingKind
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["issuance_of", "issuances_seen"]

_PAGE, _MOST = 500, 200_000
# Arithmetic with dates must stay inside the calendar: 9999-12-31 is an end "never".
_LAST_YEAR = 9000


def issuances_seen(
    host: str, *, issuer: bytes | None, store: str | None, config_file: Path | None
) -> tuple[Issuance, ...]:
    """What was logged for exactly this host; raises `StoreError` if there is no store.

    `issuer` is the issuer of the served certificate as encoded: that of others, such as an
    attacker's, is not the host's own habit. None takes all of them.
    """

    async def read(opened: Store) -> tuple[Issuance, ...]:
        found: list[Issuance] = []
        after: int | None = None
        seen = 0
        while seen < _MOST:
            page = await opened.sightings(SightingFilter(after=after), limit=_PAGE)
            for stored in page:
                sighting = stored.sighting
                if sighting.kind is not SightingKind.CERTIFICATE or sighting.spki_sha256 is None:
                    continue
                if not _is_for(host, sighting.names):
                    continue
                if issuer is not None and sighting.issuer != _issuer_text(issuer):
                    continue
                if sighting.not_before is None or sighting.not_after is None:
                    continue
                found.append(
                    Issuance(
                        not_before=sighting.not_before,
                        not_after=sighting.not_after,
                        spki_sha256=sighting.spki_sha256,
                    )
                )
            seen += len(page)
            if len(page) < _PAGE:
                break
            after = page[-1].id
        return tuple(each for each in found if each.not_after.year < _LAST_YEAR)

    return read_store(store_url(store, config_file), read)
