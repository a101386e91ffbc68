"""What `pinwarden pin backtest` tells a person, and a program."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from pinwarden.names import display
from pinwarden.pinning.backtest import Ground, Outcome, PinBacktest, Stretch, Trial
from pinwarden.pinning.moments import to_moment
from pinwarden.pinning.result import PinVerdict
from pinwarden.render.account import counted

__all__ = [
    "WORDS",
    "backtest_json",
    "backtest_text",
    "headline",
    "identity",
    "notes",
    "runs",
    "span",
    "told_certificate",
]

WORDS = {
    Outcome.LOCKED_OUT: "locked out",
    Outcome.UNKNOWN: "not known",
    Outcome.NO_CERTIFICATE: "no certificate",
    Outcome.NOT_PINNED: "not pinned",
    Outcome.BACKUP_ALONE: "backup alone",
    Outcome.MATCH: "match",
}
_VERDICTS = {
    Outcome.LOCKED_OUT: PinVerdict.MISMATCH,
    Outcome.BACKUP_ALONE: PinVerdict.MATCH,
    Outcome.MATCH: PinVerdict.MATCH,
}
_ANSWERS = {
    Outcome.LOCKED_OUT: "would have locked clients out",
    Outcome.UNKNOWN: "not known whether clients would have got in",
    Outcome.NO_CERTIFICATE: "not known, for want of a certificate,",
    Outcome.NOT_PINNED: "the policy had expired and pinned nothing",
}
_UNKNOWN = (Outcome.UNKNOWN, Outcome.NO_CERTIFICATE, Outcome.NOT_PINNED)
_MOST_RUNS = 20
_MOST_NAMES = 100
_LONGEST = 200


def headline(tried: PinBacktest) -> str:
    """The answer in one sentence, with dates."""
    host = display(tried.host)
    if not tried.stretches:
        return f"{host}: not known: no certificate for it in this history"
    if tried.passes:
        return (
            f"{host}: would have let clients in on every one of {counted(tried.total_days, 'day')}"
        )
    of = f"{tried.days.get(tried.outcome, 0):,} of {counted(tried.total_days, 'day')}"
    first = tried.of(tried.outcome)[0].first_day
    words = _ANSWERS[tried.outcome]
    if tried.outcome is Outcome.LOCKED_OUT and not tried.enforced:
        words = "would have reported a mismatch"
    unknown = sum(tried.days.get(each, 0) for each in _UNKNOWN if each is not tried.outcome)
    more = f"; {unknown:,} other days are not known" if unknown else ""
    return f"{host}: {words} on {of}, first on {first}{more}"


def backtest_text(tried: PinBacktest) -> str:
    """One host in lines for a person: the answer, the times that matter, the notes."""
    return "\n".join(_lines(tried)) + "\n"


def _lines(tried: PinBacktest) -> Iterator[str]:
    yield headline(tried)
    shown = [each for each in runs(tried.stretches) if each[0].outcome is not Outcome.MATCH]
    for run in shown[:_MOST_RUNS]:
        yield f"  {WORDS[run[0].outcome]}: {span(run)}: {run[0].ground.words}"
        yield from _told("served then: ", run[0].trial)
        if len(run) > 1:
            yield f"      and then {counted(len(run) - 1, 'other')} with the same outcome"
        yield from _told("a way back:  ", run[0].way_back)
    if len(shown) > _MOST_RUNS:
        yield f"  and {len(shown) - _MOST_RUNS:,} more such times (--json has all)"
    for note in notes(tried):
        yield f"  note: {note}"


def _told(word: str, trial: Trial | None) -> Iterator[str]:
    if trial is not None:
        yield f"      {word} {told_certificate(trial)}"
        facts = identity(trial)
        if facts:
            yield f"      {' ' * len(word)} {facts}"


def notes(tried: PinBacktest) -> Iterator[str]:
    """What else there is to know, a sentence each."""
    if not tried.stretches:
        yield "a source that knows more of the past is --source certspotter or --source crtsh"
        return
    assert tried.begins is not None
    certificates = counted(tried.certificates, "certificate")
    if tried.begins > tried.since:
        yield (
            f"the known history begins on {tried.begins.astimezone(UTC).date()} "
            f"({certificates}): nothing is known of earlier days"
        )
    else:
        yield f"history since {tried.since.astimezone(UTC).date()}: {certificates}"
    yield from _about_changes(tried)
    yield from _about_backup(tried)
    yield from _about_others(tried)
    yield from _about_unknown(tried)


def _about_changes(tried: PinBacktest) -> Iterator[str]:
    days = counted(tried.total_days, "day")
    trials = [each.trial for each in tried.stretches if each.trial is not None]
    for words, changes, known in (
        ("your key", tried.changes, [each.leaf is not None for each in trials]),
        ("the key that issues", tried.issuer_changes, [e.issuer is not None for e in trials]),
    ):
        last = f", the last time on {_day(changes[-1])}" if changes else ""
        if all(known):
            yield f"{words} changed {_times(len(changes))} in {days}{last}"
        elif any(known):
            yield f"{words} is not always known; it changed {_times(len(changes))} at least{last}"


def _about_backup(tried: PinBacktest) -> Iterator[str]:
    saved = tried.of(Outcome.BACKUP_ALONE)
    if saved:
        days = counted(tried.days.get(Outcome.BACKUP_ALONE, 0), "day")
        yield f"the backup pin alone let clients in on {days}, first on {saved[0].first_day}"
    locked = tried.of(Outcome.LOCKED_OUT)
    if any(each.ground is Ground.NO_PIN_MATCHED for each in locked):
        back = next((each.way_back for each in locked if each.way_back is not None), None)
        if back is None:
            yield "no certificate that was valid on the days locked out would have let clients in"
        else:
            yield f"going back to the older certificate helps until {_day(back.issuance.not_after)}"
    if locked and not tried.enforced:
        yield "the policy only reports: nothing would have been refused"


def _about_others(tried: PinBacktest) -> Iterator[str]:
    also = next((each for each in tried.stretches if each.also is not None), None)
    if also is not None and also.also is not None:
        yield (
            "valid and presumably not served any more, but no pin matches it: "
            f"{told_certificate(also.also)}"
        )


def _about_unknown(tried: PinBacktest) -> Iterator[str]:
    grounds = {each.ground for each in tried.stretches}
    if Ground.KEY_NOT_KNOWN in grounds:
        yield "crt.sh does not tell keys: --source certspotter does"
    if Ground.CHAIN_NOT_KNOWN in grounds:
        yield "--chain FILE with your CA's certificates, up to a root, tells the keys above"
    if Ground.CHAINS_DIFFER in grounds:
        yield "which chain a client builds depends on what it trusts: pin a key in each of them"


def runs(stretches: Sequence[Stretch]) -> list[tuple[Stretch, ...]]:
    """Stretches that follow each other with one outcome for one reason, taken together."""
    grouped = groupby(stretches, key=lambda each: (each.outcome, each.ground))
    return [tuple(run) for _, run in grouped]


def span(run: Sequence[Stretch]) -> str:
    """The days of one stretch, or of several that follow each other."""
    first, last = run[0].first_day, run[-1].last_day
    return f"{first}" if first == last else f"{first} to {last}"


def told_certificate(trial: Trial) -> str:
    """A certificate as a person names it: from when to when, and by whom."""
    issuance = trial.issuance
    issuer = display(issuance.issuer, _LONGEST) or "an unnamed issuer"
    revoked = ", revoked since" if issuance.revoked else ""
    return f"{_day(issuance.not_before)} to {_day(issuance.not_after)}, by {issuer}{revoked}"


def identity(trial: Trial) -> str:
    """What a certificate is found again by: its pin, its serial number, where it stands."""
    issuance = trial.issuance
    where = f"{display(issuance.source, 60)} {display(issuance.reference, 100)}".strip()
    serial = f"serial {display(issuance.serial, 64)}" if issuance.serial else ""
    pin = "" if trial.leaf is None else _curl(trial.leaf)
    return ", ".join(filter(None, (pin, serial, where)))


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _curl(digest: bytes) -> str:
    return f"sha256//{b64encode(digest).decode('ascii')}"


def backtest_json(tried: PinBacktest) -> dict[str, Any]:
    """One host, as docs/command-line-pin.md has it."""
    locked = tried.of(Outcome.LOCKED_OUT)
    return {
        "target": tried.host,
        "verdict": str(_VERDICTS.get(tried.outcome, PinVerdict.UNKNOWN)),
        "outcome": str(tried.outcome),
        "policy": tried.policy.host,
        "mode": str(tried.policy.mode),
        "since": to_moment(tried.since),
        "begins": None if tried.begins is None else to_moment(tried.begins),
        "at": to_moment(tried.at),
        "days": {str(each): tried.days.get(each, 0) for each in Outcome},
        "total_days": tried.total_days,
        "first_locked_out": locked[0].first_day.isoformat() if locked else None,
        "last_locked_out": locked[-1].last_day.isoformat() if locked else None,
        "certificates": tried.certificates,
        "key_changes": list(map(to_moment, tried.changes)),
        "issuer_key_changes": list(map(to_moment, tried.issuer_changes)),
        "stretches": [_stretch_json(each) for each in tried.stretches],
        "notes": list(notes(tried)),
    }


def _stretch_json(stretch: Stretch) -> dict[str, Any]:
    return {
        "start": to_moment(stretch.start),
        "end": to_moment(stretch.end),
        "outcome": str(stretch.outcome),
        "reason": str(stretch.ground),
        "certificate": _trial_json(stretch.trial),
        "way_back": _trial_json(stretch.way_back),
        "also_valid": _trial_json(stretch.also),
    }


def _trial_json(trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    issuance = trial.issuance
    return {
        "verdict": str(trial.verdict),
        "reason": str(trial.ground),
        "matched": [key.pin.curl for key in trial.matched],
        "pin": None if trial.leaf is None else _curl(trial.leaf),
        "issuer_pin": None if trial.issuer is None else _curl(trial.issuer),
        "names": list(issuance.names[:_MOST_NAMES]),
        "issuer": issuance.issuer,
        "serial": issuance.serial,
        "not_before": to_moment(issuance.not_before),
        "not_after": to_moment(issuance.not_after),
        "source": issuance.source,
        "reference": issuance.reference,
        "tbs_sha256": None if issuance.tbs_sha256 is None else issuance.tbs_sha256.hex(),
        "revoked": issuance.revoked,
    }
