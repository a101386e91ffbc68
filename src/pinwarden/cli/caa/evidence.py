"""Certificates already issued, from files and from the store, as evidence for a policy."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.caa.proposal import Evidence
from pinwarden.cli.caa.certificate_files import read_certificates
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import normalise_name
from pinwarden.store.contract import SightingFilter, Store, StoredSighting
from pinwarden.watch.sighting import SightingKind
from pinwarden.x509.certificate import CertificateView, view_certificate, view_tbs

_PAGE = 500


def evidence_of_files(paths: Sequence[Path], issuers: IssuerMap) -> tuple[Evidence, ...]:
    """Every certificate in the files that is not a CA's; those help to tell the issuer."""
    found: list[Evidence] = []
    for path in paths:
        views = read_certificates(path)
        issuing = {view.subject: view for view in views if _is_ca(view)}
        leaves = [view for view in views if not _is_ca(view)]
        if not leaves:
            raise ConfigError(f"file {quoted(str(path))}: holds certificates of CAs only")
        found += [_evidence(view, issuers, issuing.get(view.issuer)) for view in leaves]
    return tuple(found)


async def evidence_of_sightings(
    store: Store, issuers: IssuerMap, *, at: datetime, since: datetime | None
) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    """The certificates seen, and the items of the watch list that they touch.

    Those that are valid at `at`, or where `since` is given, those issued since then.
    """
    found: list[Evidence] = []
    items: dict[str, None] = {}
    async for stored in _stored(store):
        sighting = stored.sighting
        if sighting.kind is not SightingKind.CERTIFICATE or not _counts(stored, at, since):
            continue
        whole = await store.sighting(stored.id)
        view = _view_of(whole.sighting.der) if whole is not None else None
        if view is None:
            names = policy_names(sighting.names)
            found.append(Evidence(names=names, issuer=sighting.issuer, serial="", match=None))
        else:
            found.append(_evidence(view, issuers, None))
        items.update(dict.fromkeys(sighting.matched))
    return tuple(found), tuple(items)


def names_of_items(items: Sequence[str]) -> tuple[str, ...]:
    """The DNS names that items of a watch list begin with, those below another left out."""
    names = set()
    for item in items:
        try:
            names.add(normalise_name(item.removeprefix(".")))
        except MalformedError:
            continue
    return tuple(
        sorted(
            name
            for name in names
            if not any(name != other and name.endswith(f".{other}") for other in names)
        )
    )


async def _stored(store: Store) -> AsyncIterator[StoredSighting]:
    after: int | None = None
    while True:
        page = await store.sightings(SightingFilter(after=after), limit=_PAGE)
        for stored in page:
            yield stored
        if len(page) < _PAGE:
            return
        after = page[-1].id


def _counts(stored: StoredSighting, at: datetime, since: datetime | None) -> bool:
    sighting = stored.sighting
    if since is not None:
        return (sighting.not_before or stored.first_seen) >= since
    return sighting.not_after is None or sighting.not_after >= at


def _view_of(der: bytes) -> CertificateView | None:
    for read in (view_certificate, view_tbs):
        try:
            return read(der)
        except MalformedError:
            continue
    return None


def _is_ca(view: CertificateView) -> bool:
    try:
        return view.is_ca
    except MalformedError:
        return False


def _evidence(
    view: CertificateView, issuers: IssuerMap, issuing: CertificateView | None
) -> Evidence:
    spki = sha256 = None
    if issuing is not None and issuing.der is not None:
        sha256 = hashlib.sha256(issuing.der).digest()
        spki = bytes(issuing.spki_hash)
    match = issuers.issuer_of(view, issuer_spki_sha256=spki, issuer_sha256=sha256)
    return Evidence(
        names=policy_names(view.identifiers().dns),
        issuer=_issuer(view),
        serial=_serial(view),
        match=match,
    )


def _issuer(view: CertificateView) -> str:
    try:
        return view.issuer_text
    except MalformedError:
        return "an issuer that cannot be read"


def _serial(view: CertificateView) -> str:
    try:
        return f"{view.serial:x}"
    except MalformedError:
        return ""


def policy_names(readings: Sequence[str]) -> tuple[str, ...]:
    """Those of the names in a certificate that a policy can stand for."""
    return tuple(_plain_names(readings))


def _plain_names(readings: Sequence[str]) -> Iterator[str]:
    for reading in readings:
        star = "*." if reading.startswith("*.") else ""
        try:
            yield star + normalise_name(reading.removeprefix("*."))
        except MalformedError:
            continue
