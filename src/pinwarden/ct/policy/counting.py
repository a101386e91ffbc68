"""Which SCTs could count for a policy: each is in, out, or cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pinwarden.ct.head import LogID
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.policy.editions import Edition, Policy
from pinwarden.ct.policy.standing import (
    ListDates,
    Standing,
    standing_of_log,
    standing_of_unlisted,
)
from pinwarden.ct.presented import Flaw, JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCT, SCTSource
from pinwarden.errors import MalformedError
from pinwarden.names import display

__all__ = ["CountedSCT", "Tally", "tally_scts"]

_MOST_NAMED = 5

_Remark = tuple[str, str]
"""A log by its name, and what there is to say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSCT:
    """One SCT that a policy looks at.

    `current` is whether the log is approved now, `retired_at` since when it is not any more.
    """

    source: SCTSource
    log_id: LogID
    log: str
    operator: str
    kind: LogKind
    timestamp: datetime
    current: bool
    retired_at: datetime | None = None

    @property
    def embedded(self) -> bool:
        """Whether it is in the certificate."""
        return self.source is SCTSource.EMBEDDED


@dataclass(frozen=True, slots=True)
class Tally:
    """The SCTs of a certificate as one edition sees them.

    `certain` is what counts at the least, `possible` what would if everything that cannot be
    told were good. The lines say which others there are, and why they count less or not.
    """

    certain: tuple[CountedSCT, ...]
    possible: tuple[CountedSCT, ...]
    left_out: tuple[_Remark, ...]
    retired: tuple[_Remark, ...]
    doubtful: tuple[_Remark, ...]

    @property
    def remarks(self) -> str:
        """Which SCTs do not count and why, as the end of a sentence."""
        parts = []
        for title, remarks in (
            ("not counted", self.left_out),
            ("not approved any more", self.retired),
            ("not known", self.doubtful),
        ):
            by_reason: dict[str, list[str]] = {}
            for name, why in remarks[:_MOST_NAMED]:
                by_reason.setdefault(why, []).append(name)
            if by_reason:
                more = len(remarks) - _MOST_NAMED
                named = [f"{', '.join(names)} ({why})" for why, names in by_reason.items()]
                parts.append(
                    f"{title}: {', '.join(named)}" + (f" and {more} more" if more > 0 else "")
                )
        return "".join(f"; {part}" for part in parts)


def tally_scts(
    policy: Policy,
    edition: Edition,
    scts: Sequence[JudgedSCT],
    lists: ListDates,
    at: datetime,
    not_after: datetime | None,
) -> Tally:
    """What each SCT of a certificate that ends at `not_after` is worth at `at`."""
    certain: list[CountedSCT] = []
    possible: list[CountedSCT] = []
    left_out: list[_Remark] = []
    retired: list[_Remark] = []
    doubtful: list[_Remark] = []
    for judged in scts:
        sct = judged.sct
        name = _name(judged)
        if sct is None or judged.status is SCTStatus.INVALID:
            left_out.append((name, _flaw(judged)))
            continue
        standing = _standing(policy, edition, judged, sct, lists, at, not_after)
        counted = _counted(judged, sct, name, standing, policy)
        if standing.approved is None:
            doubtful.append((name, standing.why))
        elif standing.approved or standing.retired_at is not None:
            certain.append(counted)
        if standing.approved is not False or standing.retired_at is not None:
            # Of an operator that is not known the best must be thought possible.
            operator = counted.operator or sct.log_id.hex()
            possible.append(replace(counted, operator=operator))
        if standing.approved is False:
            # One of a log that was retired later counts for something.
            (left_out if standing.retired_at is None else retired).append((name, standing.why))
    return Tally(
        certain=tuple(certain),
        possible=tuple(possible),
        left_out=tuple(dict.fromkeys(left_out)),
        retired=tuple(dict.fromkeys(retired)),
        doubtful=tuple(dict.fromkeys(doubtful)),
    )


def _name(judged: JudgedSCT) -> str:
    if judged.log is not None:
        return display(judged.log.description, 60) or "a log without a name"
    return "a log that no list names" if judged.sct is not None else "an unreadable SCT"


def _flaw(judged: JudgedSCT) -> str:
    return judged.flaws[0].replace("-", " ") if judged.flaws else "invalid"


def _standing(
    policy: Policy,
    edition: Edition,
    judged: JudgedSCT,
    sct: SCT,
    lists: ListDates,
    at: datetime,
    not_after: datetime | None,
) -> Standing:
    """What the SCT is worth: like its log, unless there is something about the SCT itself."""
    if judged.source is not SCTSource.EMBEDDED and judged.source not in edition.external:
        return Standing(False, None, f"{policy.name} takes none by {judged.source.upper()} now")
    if sct.timestamp > at:
        return Standing(False, None, "dated in the future")
    log = judged.log
    if log is None:
        return standing_of_unlisted(policy.programs, lists, sct.timestamp)
    standing = standing_of_log(log, policy.programs, lists, at, sct.timestamp)
    if standing.approved is False and standing.retired_at is None:
        return standing
    outside = _outside(edition, log, sct, not_after)
    if outside is not None:
        return outside
    if standing.retired_at is not None and judged.source is not SCTSource.EMBEDDED:
        # What is handed over can be replaced without a new certificate.
        return Standing(False, None, standing.why)
    if judged.status is not SCTStatus.VALID:
        return Standing(None, standing.retired_at, "its signature was not checked")
    if Flaw.STAPLE_NOT_VERIFIED in judged.flaws:
        # What browsers make of such a response differs, and none must take an SCT from it.
        return Standing(None, standing.retired_at, "the OCSP response that has it does not verify")
    return standing


def _outside(edition: Edition, log: Log, sct: SCT, not_after: datetime | None) -> Standing | None:
    """Why this edition leaves an SCT out although its log is approved."""
    if edition.static_index and log.kind is LogKind.STATIC and not _has_index(sct):
        return Standing(False, None, "without a leaf index")
    if not edition.interval or log.interval is None:
        return None
    if not_after is None:
        return Standing(None, None, "perhaps outside its interval")
    start, end = log.interval
    if not start <= not_after < end:
        return Standing(False, None, "the certificate ends outside its interval")
    return None


def _has_index(sct: SCT) -> bool:
    try:
        return sct.leaf_index is not None
    except MalformedError:
        return False


def _counted(
    judged: JudgedSCT, sct: SCT, name: str, standing: Standing, policy: Policy
) -> CountedSCT:
    log = judged.log
    return CountedSCT(
        source=judged.source,
        log_id=sct.log_id,
        log=name,
        operator="" if log is None else log.operator_at(sct.timestamp, policy.programs),
        kind=LogKind.RFC6962 if log is None else log.kind,
        timestamp=sct.timestamp,
        current=standing.approved is not False and standing.retired_at is None,
        retired_at=standing.retired_at,
    )
