"""What a monitor's store has of a host: the served certificate, and others that are valid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address

from pinwarden.audit.facts import CTFacts, HistoryFacts, Presentation
from pinwarden.ct.presented import SCTStatus
from pinwarden.errors import MalformedError
from pinwarden.names import name_touches
from pinwarden.store.contract import SightingFilter, Store, StoredSighting
from pinwarden.watch.sighting import LogReference
from pinwarden.x509.precert import tbs_hash

__all__ = ["read_history"]

_PAGE = 200
# Issuances of one watched name that are looked through, the newest first.
_MOST = 2000


async def read_history(store: Store, host: str, shown: Presentation, at: datetime) -> HistoryFacts:
    """Read what there is; raises `StoreError`."""
    key = _key(shown)
    seen = None if key is None else await store.sighting(key)
    found = await _about(store, host)
    others = tuple(
        each
        for each in found
        if each.sighting.key != key
        and each.sighting.not_before is not None
        and each.sighting.not_after is not None
        and each.sighting.not_before <= at <= each.sighting.not_after
    )
    expected = "" if seen is not None else await _expected_in(store, shown, found)
    return HistoryFacts(seen=seen, others=others, known=len(found), expected_in=expected)


def _key(shown: Presentation) -> bytes | None:
    """The identity of the issuance, as sightings have it."""
    if shown.leaf is None:
        return None
    try:
        return tbs_hash(shown.leaf.tbs)
    except MalformedError:
        return None


async def _about(store: Store, host: str) -> list[StoredSighting]:
    """The issuances whose names cover a host, each once."""
    found: dict[int, StoredSighting] = {}
    for item in _items(host):
        after: int | None = None
        for _ in range(_MOST // _PAGE):
            chosen = SightingFilter(matched=item, newest_first=True, after=after)
            page = await store.sightings(chosen, limit=_PAGE)
            found |= {each.id: each for each in page if _is_about(each, host)}
            if len(page) < _PAGE:
                break
            after = page[-1].id
    return list(found.values())


def _items(host: str) -> Iterable[str]:
    """The items of a watch list under which a host falls, as the store has them written."""
    yield host
    try:
        ip_address(host)
    except ValueError:
        labels = host.split(".")
        yield from ("." + ".".join(labels[start:]) for start in range(len(labels)))
        yield "."


def _is_about(stored: StoredSighting, host: str) -> bool:
    return any(name_touches(name, host, below=False) for name in stored.sighting.names)


async def _expected_in(store: Store, shown: Presentation, known: Iterable[StoredSighting]) -> str:
    """A log in which the monitor must have met the certificate, if it was looking.

    It was looking for the host if it met another certificate for it there that was logged
    before this one, and it has read on, past the time by which the log had to have this one.
    """
    if not isinstance(shown.ct, CTFacts):
        return ""
    earliest: dict[bytes, LogReference] = {}
    for reference in (each for stored in known for each in stored.references):
        first = earliest.get(reference.log_id)
        if first is None or reference.timestamp < first.timestamp:
            earliest[reference.log_id] = reference
    for each in shown.ct.scts:
        if each.status is not SCTStatus.VALID or each.sct is None or each.log is None:
            continue
        before = earliest.get(each.log.log_id)
        if before is None or before.timestamp >= each.sct.timestamp:
            continue
        position = await store.load_position(each.log.log_id)
        if position is None or position.head_timestamp is None:
            continue
        if position.head_timestamp >= each.sct.timestamp + each.log.mmd:
            return each.log.description
    return ""
