"""A pin set tried on the past of a host: the days on which clients would have been locked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import dropwhile, pairwise

from pinwarden.issuances import PastIssuance
from pinwarden.names import display
from pinwarden.pinning.backtest.above import KeysAbove
from pinwarden.pinning.backtest.trial import Ground, Trial, Trials
from pinwarden.pinning.backtest.turns import Turn, covers, turns
from pinwarden.pinning.host import normalise_host
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinPolicy, PinSetError
from pinwarden.pinning.result import PinVerdict

__all__ = ["Outcome", "PinBacktest", "Stretch", "backtest_pins"]

_MICROSECOND = timedelta(microseconds=1)


class Outcome(StrEnum):
    """What a time comes to for clients with these pins, the gravest first.

    `locked-out` is the word for a mismatch in a policy that only reports, too.
    """

    LOCKED_OUT = "locked-out"
    UNKNOWN = "unknown"
    NO_CERTIFICATE = "no-certificate"
    NOT_PINNED = "not-pinned"
    BACKUP_ALONE = "backup-alone"
    MATCH = "match"


_GRAVITY = {outcome: number for number, outcome in enumerate(Outcome)}
_PASSES = (Outcome.MATCH, Outcome.BACKUP_ALONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time from `start` until before `end` in which one certificate decided.

    `trial` is that of the certificate, the gravest of those presumably served; None where
    none is known. `way_back` is a certificate that was valid too and matches, for a time
    that is locked out; `also` one that was valid and would have locked out, for another.
    """

    start: datetime
    end: datetime
    outcome: Outcome
    ground: Ground
    trial: Trial | None = None
    way_back: Trial | None = None
    also: Trial | None = None

    @property
    def first_day(self) -> date:
        """Its first day, in UTC."""
        return self.start.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The last day of which any part belongs to it, in UTC."""
        return (self.end - _MICROSECOND).astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinBacktest:
    """What a pin set would have done to the clients of one host.

    `stretches` follow each other without holes from `begins`, where the known history of
    the host begins, up to `at`; `since` is from when on history was asked for. `days`
    counts days in UTC by the gravest outcome on each. `certificates` are those for the
    host that were valid in that time; `changes` and `issuer_changes` say when the key that
    is presumably served, and the one that issued it, changed from a known one to another.
    """

    host: str
    policy: PinPolicy
    at: datetime
    since: datetime
    begins: datetime | None
    stretches: tuple[Stretch, ...]
    days: Mapping[Outcome, int]
    certificates: int
    changes: tuple[datetime, ...]
    issuer_changes: tuple[datetime, ...]

    @property
    def enforced(self) -> bool:
        """Whether a mismatch ends connections, instead of being told only."""
        return self.policy.mode is Mode.ENFORCE

    @property
    def outcome(self) -> Outcome:
        """The gravest of all outcomes: of no history at all that no certificate is known."""
        return min(
            (each.outcome for each in self.stretches),
            key=_GRAVITY.__getitem__,
            default=Outcome.NO_CERTIFICATE,
        )

    @property
    def passes(self) -> bool:
        """Whether every day of the known history, of which there is some, is known to match."""
        return self.outcome in _PASSES

    @property
    def total_days(self) -> int:
        """The days of the known history, in UTC."""
        return sum(self.days.values())

    def of(self, outcome: Outcome) -> tuple[Stretch, ...]:
        """The stretches of one outcome, in their order."""
        return tuple(each for each in self.stretches if each.outcome is outcome)


def backtest_pins(
    pins: PinSet,
    host: str,
    issuances: Iterable[PastIssuance],
    *,
    at: datetime,
    since: datetime | None = None,
    above: KeysAbove | None = None,
) -> PinBacktest:
    """Try a pin set on the certificates that were issued for a host until `at`.

    Without `since` the test begins with the first certificate. Of two sources that tell of
    one certificate only one may be among the issuances. Raises `MalformedError` for what
    is no host, and `PinSetError` for one that no policy is about.
    """
    host = normalise_host(host)
    policy = pins.policy_for(host)
    if policy is None:
        raise PinSetError(f"host {display(host)}: no policy of the set is about it")
    concerned = [
        each
        for each in issuances
        if each.not_before < at
        and each.not_before <= each.not_after
        and (since is None or each.not_after >= since)
        and covers(each.names, host)
    ]
    begin = since if since is not None else min((e.not_before for e in concerned), default=at)
    trials = Trials(policy, above or KeysAbove(), concerned)
    # Before its first certificate a host is not known to have been there.
    found = list(
        dropwhile(lambda turn: not turn.served, _turns(policy, trials, concerned, begin, at))
    )
    stretches = tuple(_merged(map(_stretch, found)))
    newest = [(turn.start, turn.served[0]) for turn in found if turn.served]
    return PinBacktest(
        host=host,
        policy=policy,
        at=at,
        since=begin,
        begins=found[0].start if found else None,
        stretches=stretches,
        days=_days(stretches),
        certificates=len(concerned),
        changes=_changes((start, trial.leaf) for start, trial in newest),
        issuer_changes=_changes((start, trial.issuer) for start, trial in newest),
    )


def _turns(
    policy: PinPolicy,
    trials: Trials,
    issuances: Sequence[PastIssuance],
    start: datetime,
    end: datetime,
) -> Iterator[Turn]:
    """The turns, split where the policy expires: before and after it judges in two ways."""
    moments = [start, end]
    if policy.expires is not None and policy.expires < date.max:
        over = policy.expires + timedelta(days=1)
        expiry = datetime(over.year, over.month, over.day, tzinfo=UTC)
        if start < expiry < end:
            moments.insert(1, expiry)
    for first, after in pairwise(moments):
        yield from turns(issuances, partial(trials.judge, at=first), first, after)


def _stretch(turn: Turn) -> Stretch:
    if not turn.served:
        return Stretch(
            start=turn.start,
            end=turn.end,
            outcome=Outcome.NO_CERTIFICATE,
            ground=Ground.NO_CERTIFICATE,
        )
    trial = min(turn.served, key=lambda each: _GRAVITY[_outcome(each)])
    outcome = _outcome(trial)
    others = {each.verdict: each for each in reversed(turn.valid[len(turn.served) :])}
    locked_out = outcome is Outcome.LOCKED_OUT
    return Stretch(
        start=turn.start,
        end=turn.end,
        outcome=outcome,
        ground=trial.ground,
        trial=trial,
        way_back=others.get(PinVerdict.MATCH) if locked_out else None,
        also=None if locked_out else others.get(PinVerdict.MISMATCH),
    )


def _outcome(trial: Trial) -> Outcome:
    if trial.verdict is PinVerdict.MISMATCH:
        return Outcome.LOCKED_OUT
    if trial.verdict is PinVerdict.UNKNOWN:
        return Outcome.NOT_PINNED if trial.ground is Ground.EXPIRED else Outcome.UNKNOWN
    return Outcome.BACKUP_ALONE if trial.ground is Ground.BACKUP_MATCHED else Outcome.MATCH


def _merged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """One stretch for those that follow each other with the same certificate and outcome."""
    last: Stretch | None = None
    for each in stretches:
        if last is None:
            last = each
        elif (last.outcome, last.ground, _certificate(last)) == (
            each.outcome,
            each.ground,
            _certificate(each),
        ):
            last = replace(
                last,
                end=each.end,
                way_back=last.way_back or each.way_back,
                also=last.also or each.also,
            )
        else:
            yield last
            last = each
    if last is not None:
        yield last


def _certificate(stretch: Stretch) -> int:
    return 0 if stretch.trial is None else id(stretch.trial.issuance)


def _days(stretches: Sequence[Stretch]) -> dict[Outcome, int]:
    """How many days there are of each outcome; the gravest one of a day counts."""
    if not stretches:
        return {}
    first = stretches[0].first_day.toordinal()
    gravest = [len(_GRAVITY)] * (stretches[-1].last_day.toordinal() - first + 1)
    for each in stretches:
        gravity = _GRAVITY[each.outcome]
        for day in range(each.first_day.toordinal() - first, each.last_day.toordinal() - first + 1):
            gravest[day] = min(gravest[day], gravity)
    counts = Counter(gravest)
    return {outcome: counts[number] for outcome, number in _GRAVITY.items() if counts[number]}


def _changes(keys: Iterable[tuple[datetime, bytes | None]]) -> tuple[datetime, ...]:
    """When a known key followed another one."""
    known = [(start, key) for start, key in keys if key is not None]
    return tuple(start for (_, old), (start, new) in pairwise(known) if old != new)
