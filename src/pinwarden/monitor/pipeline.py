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
_UNREADABLE = "it cannot be read, so no watched name can be ruled out"

# A certificate may carry thousands of names; the watched ones come first.
_MOST_NAMES = 500
_MOST_MATCHED = 500
_MOST_PROBLEMS = 20
# No log takes certificates of this size. An alert must fit into memory, a hundred
# times over; the leaf hash says what was logged, and the log has it.
_MOST_KEPT = 256 * 1024


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
        sighting = _Reading(entry, view, identifiers, problems, reference)
        if matched:
            return sighting.of(SightingKind.CERTIFICATE, matched, (_NO_POLICY,))
        if identifiers.unreadable or UNREADABLE_LABEL in identifiers.dns:
            return sighting.of(SightingKind.UNREADABLE, self._mentioned(leaf), (_UNREADABLE,))
        return None

    def _unreadable(
        self, reference: LogReference, leaf: bytes, problems: tuple[str, ...]
    ) -> Sighting:
        """An entry of which nothing can be read."""
        return Sighting(
            key=reference.leaf_hash,
            kind=SightingKind.UNREADABLE,
            matched=tuple(item.text for item in self._mentioned(leaf)),
            reasons=(_UNREADABLE,),
            problems=problems[:_MOST_PROBLEMS],
            der=leaf[:_MOST_KEPT],
            seen=reference,
        )

    def _mentioned(self, leaf: bytes) -> tuple[WatchItem, ...]:
        """The items whose name stands in the raw bytes.

        It makes the concern about an unreadable entry concrete; that none is
        mentioned rules nothing out.
        """
        return self.watchlist.mentioned(leaf[:_MOST_KEPT])[:_MOST_MATCHED]


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


class _Reading:
    """Everything about one certificate; a field that cannot be read costs itself only."""

    def __init__(
        self,
        entry: Entry,
        view: CertificateView,
        identifiers: Identifiers,
        problems: tuple[str, ...],
        reference: LogReference,
    ) -> None:
        self._entry = entry
        self._view = view
        self._identifiers = identifiers
        self._problems = list(problems)
        self._reference = reference

    def of(
        self, kind: SightingKind, matched: tuple[WatchItem, ...], reasons: tuple[str, ...]
    ) -> Sighting:
        """The sighting that this certificate is."""
        tbs_sha256 = self._tbs_sha256()
        names = [*self._identifiers.dns, *(str(ip) for ip in self._identifiers.ips)]
        if len(names) > _MOST_NAMES:
            # The ones that matter must be among those kept.
            touching = Watchlist(matched)
            names.sort(key=lambda name: not touching.match_name(name))
        serial = self._field("serial", None)
        return Sighting(
            key=tbs_sha256 if tbs_sha256 is not None else self._reference.leaf_hash,
            kind=kind,
            tbs_sha256=tbs_sha256,
            names=tuple(dict.fromkeys(names))[:_MOST_NAMES],
            matched=tuple(item.text for item in matched),
            issuer=self._field("issuer_text", ""),
            subject=self._field("subject_text", ""),
            serial=f"{serial:x}" if serial is not None else "",
            not_before=self._field("not_before", None),
            not_after=self._field("not_after", None),
            spki_sha256=self._field("spki_hash", None),
            key_description=self._field("key_description", ""),
            fingerprint=self._view.fingerprint if self._entry.certificate is not None else None,
            reasons=reasons,
            der=self._kept(),
            seen=self._reference,
            # Last, because every field read above may have added to them.
            problems=tuple(self._problems[:_MOST_PROBLEMS]),
        )

    def _field(self, name: str, default: Any) -> Any:
        try:
            return getattr(self._view, name)
        except MalformedError as error:
            self._problems.append(f"{name.replace('_', ' ')}: {error}")
            return default

    def _kept(self) -> bytes:
        logged = _logged_bytes(self._entry)
        if len(logged) > _MOST_KEPT:
            self._problems.append(f"its {len(logged)} bytes are kept up to {_MOST_KEPT} only")
        return logged[:_MOST_KEPT]

    def _tbs_sha256(self) -> bytes | None:
        try:
            return tbs_hash(self._view.tbs)
        except MalformedError as error:
            self._problems.append(f"identity: {error}")
            return None


def _logged_bytes(entry: Entry) -> bytes:
    """What was logged; the precertificate is not covered by the tree, so only if it agrees."""
    if entry.certificate is not None:
        return entry.certificate
    if entry.precertificate is not None and not entry.problems:
        return entry.precertificate
    return entry.tbs or b""
