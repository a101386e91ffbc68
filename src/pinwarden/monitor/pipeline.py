"""From raw log entries to sightings: scan all, read the few, match, judge.

Never miss because you could not read: an entry that cannot be read, or a field
of it that may hold a name and cannot be read, is a sighting of its own kind.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pinwarden.ct.entry import Entry, EntryType, RawBatch
from pinwarden.ct.log import Log
from pinwarden.ct.merkle import leaf_hash
from pinwarden.errors import MalformedError
from pinwarden.names import UNREADABLE_LABEL
from pinwarden.watch.scan import Scanner
from pinwarden.watch.sighting import LogReference, Sighting, SightingKind
from pinwarden.watch.watchlist import WatchItem, Watchlist
from pinwarden.x509.certificate import CertificateView, view_certificate, view_tbs
from pinwarden.x509.identifiers import Identifiers
from pinwarden.x509.precert import tbs_hash

_NO_POLICY = "nothing says yet what is expected for this name, so it cannot be judged"

# A certificate may carry thousands of names; the watched ones come first.
_MOST_NAMES = 500
_MOST_MATCHED = 500
_MOST_PROBLEMS = 20


class Pipeline:
    """Examines the entries of any log for one watch list."""

    def __init__(self, watchlist: Watchlist) -> None:
        self.watchlist = watchlist
        self._scanner = Scanner(watchlist)

    def examine(self, batch: RawBatch, log: Log, at: datetime) -> list[Sighting]:
        """The sightings in one batch, in the order of the log."""
        found = []
        for position in self._scanner.candidates(batch.leaves):
            sighting = self._examine_entry(batch, batch.first + position, log, at)
            if sighting is not None:
                found.append(sighting)
        return found

    def _examine_entry(
        self, batch: RawBatch, index: int, log: Log, at: datetime
    ) -> Sighting | None:
        leaf = batch.leaves[index - batch.first]
        try:
            entry = batch.entry(index)
        except MalformedError as error:
            return self._unreadable(_reference(log, index, leaf, None, at), leaf, (str(error),))
        reference = _reference(log, index, leaf, entry, at)
        try:
            view = _view(entry)
        except MalformedError as error:
            return self._unreadable(reference, leaf, (str(error), *entry.problems))
        identifiers = view.identifiers()
        matched = self.watchlist.match(identifiers)[:_MOST_MATCHED]
        problems = (*(str(error) for error in identifiers.unreadable), *entry.problems)
        if matched:
            return _sighting(entry, view, identifiers, matched, problems, reference)
        if identifiers.unreadable or UNREADABLE_LABEL in identifiers.dns:
            return self._unreadable(reference, leaf, problems)
        return None

    def _unreadable(
        self, reference: LogReference, leaf: bytes, problems: tuple[str, ...]
    ) -> Sighting:
        """An entry that cannot rule out any watched name.

        `matched` names the items whose bytes stand somewhere in the entry, which
        makes the concern concrete; an empty one rules nothing out.
        """
        return Sighting(
            key=reference.leaf_hash,
            kind=SightingKind.UNREADABLE,
            matched=tuple(item.text for item in _mentioned(self.watchlist.items, leaf)),
            reasons=("it cannot be read, so no watched name can be ruled out",),
            problems=problems[:_MOST_PROBLEMS],
            der=leaf,
            seen=reference,
        )


def _view(entry: Entry) -> CertificateView:
    if entry.certificate is not None:
        return view_certificate(entry.certificate)
    if entry.tbs is None:
        raise MalformedError("entry holds neither a certificate nor a TBSCertificate")
    return view_tbs(entry.tbs)


def _reference(
    log: Log, index: int, leaf: bytes, entry: Entry | None, at: datetime
) -> LogReference:
    kinds = {EntryType.X509: "x509", EntryType.PRECERT: "precert"}
    return LogReference(
        log_id=log.log_id,
        log=log.description,
        url=log.url,
        index=index,
        timestamp=entry.timestamp if entry is not None else at,
        entry_type=kinds[entry.type] if entry is not None else "unknown",
        leaf_hash=leaf_hash(leaf),
    )


def _sighting(
    entry: Entry,
    view: CertificateView,
    identifiers: Identifiers,
    matched: tuple[WatchItem, ...],
    problems: tuple[str, ...],
    reference: LogReference,
) -> Sighting:
    """A certificate that touches the watch list; each unreadable field costs itself only."""
    lost: list[str] = []

    def read(field: str, default: Any) -> Any:
        try:
            value = getattr(view, field)
        except MalformedError as error:
            lost.append(f"{field.replace('_', ' ')}: {error}")
            return default
        return value

    try:
        tbs_sha256: bytes | None = tbs_hash(view.tbs)
    except MalformedError as error:
        tbs_sha256 = None
        lost.append(f"TBSCertificate: {error}")
    names = (*identifiers.dns, *(str(ip) for ip in identifiers.ips))
    serial = read("serial", None)
    return Sighting(
        key=tbs_sha256 if tbs_sha256 is not None else reference.leaf_hash,
        kind=SightingKind.CERTIFICATE,
        tbs_sha256=tbs_sha256,
        names=tuple(dict.fromkeys(names))[:_MOST_NAMES],
        matched=tuple(item.text for item in matched),
        issuer=read("issuer_text", ""),
        subject=read("subject_text", ""),
        serial=f"{serial:x}" if serial is not None else "",
        not_before=read("not_before", None),
        not_after=read("not_after", None),
        spki_sha256=read("spki_hash", None),
        key_description=read("key_description", ""),
        fingerprint=view.fingerprint if entry.certificate is not None else None,
        reasons=(_NO_POLICY,),
        # Last, because every field read above may have added to `lost`.
        problems=(*problems, *lost)[:_MOST_PROBLEMS],
        der=_logged_bytes(entry),
        seen=reference,
    )


def _logged_bytes(entry: Entry) -> bytes:
    """What was logged; the precertificate is not covered by the tree, so only if it agrees."""
    if entry.certificate is not None:
        return entry.certificate
    if entry.precertificate is not None and not entry.problems:
        return entry.precertificate
    return entry.tbs or b""


def _mentioned(items: tuple[WatchItem, ...], leaf: bytes) -> list[WatchItem]:
    """The items whose name stands in the raw bytes, in any encoding of plain text."""
    folded = leaf.lower()
    texts = [folded, folded.replace(b"\x00", b"")]
    return [
        item
        for item in items
        if len(item.labels) > 1
        and any(item.text.lstrip(".").encode("ascii") in text for text in texts)
    ]
