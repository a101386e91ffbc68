"""A backtest of a policy in words, and as the documented object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pinwarden.caa.backtest import BacktestVerdict, CAABacktest, Tally, TriedIssuance, TriedName
from pinwarden.caa.evaluate import Reason
from pinwarden.caa.issuers.map import How
from pinwarden.caa.lookup import Lookup, Outcome
from pinwarden.caa.presentation import to_generic, to_presentation
from pinwarden.names import display
from pinwarden.render.account import counted, day, shown, some

_MOST = 20
_MOST_NAMES = 10
_MOST_CAS = 3
_LONGEST_CA = 60
_WIDEST = 40
_REFUSED, _UNKNOWN, _ALLOWED = (
    BacktestVerdict.REFUSED,
    BacktestVerdict.UNKNOWN,
    BacktestVerdict.ALLOWED,
)
_UNNAMED = frozenset({Reason.ISSUER_NOT_LISTED, Reason.EMPTY_ISSUER, Reason.MALFORMED_VALUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """A policy, the history that it was tried on, and what came of it.

    `sets` are the records that decided, by the name they stand at. `failures` says what of
    the history could not be read. `by_date`: the person gave a date and no number of days.
    """

    kind: str
    policy: str
    names: tuple[str, ...]
    sources: tuple[str, ...]
    since: datetime | None
    by_date: bool
    profile: str
    result: CAABacktest
    sets: Mapping[str, Lookup]
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def headline(told: Backtested) -> str:
    """The answer in one line."""
    result, scope = told.result, f"{_period(told)} for {some(told.names)}"
    refused, unknown = result.of(_REFUSED), result.of(_UNKNOWN)
    whole = len(result.tried)
    if not whole:
        sources = ", ".join(display(each, 100) for each in told.sources)
        return f"{told.policy} was tried on nothing: {sources} has no certificate {scope}"
    if refused:
        text = f"{told.policy} would have refused {len(refused):,} of"
        text += f" {counted(whole, 'certificate')} {scope}: {refusals(result)}"
    elif unknown:
        text = f"{told.policy} would have refused none for certain of"
        text += f" {counted(whole, 'certificate')} {scope}"
    else:
        every = "the only" if whole == 1 else f"all {whole:,}"
        noun = "certificate" if whole == 1 else "certificates"
        text = f"{told.policy} would have allowed {every} {noun} {scope}"
    if unknown:
        text += f"; of {len(unknown):,} it cannot be told"
    return text


def _period(told: Backtested) -> str:
    if told.since is None:
        return "ever issued"
    if told.by_date:
        return f"issued since {day(told.since)}"
    return f"of the last {counted((told.result.at - told.since).days, 'day')}"


def refusals(result: CAABacktest) -> str:
    """How many of which CA were refused, and when."""
    refused = [each for each in result.by_ca() if each.refused]
    told = [
        f"{each.refused:,} of {shown(each.of, _LONGEST_CA)} ({_span(each)})"
        for each in refused[:_MOST_CAS]
    ]
    if len(refused) > _MOST_CAS:
        told.append(f"{sum(each.refused for each in refused[_MOST_CAS:]):,} of other CAs")
    return ", ".join(told)


def _span(tally: Tally) -> str:
    if tally.first_refused is None or tally.last_refused is None:
        return f"{day(tally.first)} to {day(tally.last)}"
    first, last = day(tally.first_refused), day(tally.last_refused)
    return first if first == last else f"{first} to {last}"


def warnings(told: Backtested) -> Iterator[str]:
    """What to know beside the answer, one sentence each."""
    failing, replaced = told.result.failing, len(told.result.replaced)
    if failing:
        one = len(failing) == 1
        first = day(failing[0].issuance.not_after)
        text = (
            f"{counted(len(failing), 'refused certificate')} {'is' if one else 'are'} valid now: "
        )
        text += f"{'its renewal' if one else 'their renewals'} would fail, "
        text += f"due by {first}" if one else f"the first due by {first}"
        if replaced:
            whose = "its names" if one else f"the names of {replaced:,}"
            text += f"; {whose} have a newer certificate that is allowed"
        yield text
    for ca, record in _needed(told):
        yield f"to allow {shown(ca, _LONGEST_CA)} there must be a record such as {record}"
    if told.failures:
        yield "the history could not be read in full, so there may be more"


def _needed(told: Backtested) -> Sequence[tuple[str, str]]:
    """For CAs that were refused, one record each without which they stay refused."""
    refused: dict[tuple[str, str], list[TriedName]] = {}
    for each in told.result.of(_REFUSED):
        # Another record does not help against a critical one, or against a bound one.
        names = [name for name in each.names if name.verdict is _REFUSED]
        if each.domain and all(name.reason in _UNNAMED for name in names):
            refused.setdefault((each.ca, each.domain), []).extend(names)
    return [(ca, f'0 {_tag(told, names)} "{domain}"') for (ca, domain), names in refused.items()][
        :_MOST_CAS
    ]


def _tag(told: Backtested, names: Sequence[TriedName]) -> str:
    """The property that is missing: an issuewild where there is none would shut out others."""
    wild = all(
        name.name.startswith("*.") and _has_issuewild(told.sets.get(name.relevant_name or ""))
        for name in names
    )
    return "issuewild" if wild else "issue"


def _has_issuewild(lookup: Lookup | None) -> bool:
    return lookup is not None and any(each.property == "issuewild" for each in lookup.records)


def backtest_text(told: Backtested) -> str:
    """The answer first, then counts by CA and name, then the certificates."""
    result = told.result
    lines = [headline(told), *(f"  {each}" for each in warnings(told))]
    if not result.tried:
        return "\n".join(lines)
    lines += _table("by CA", result.by_ca(), by_name=_known_by_name(result))
    lines += _table("by name", result.by_name(), by_name=frozenset())
    lines += _certificates("refused", result.of(_REFUSED))
    lines += _certificates("cannot be told", result.of(_UNKNOWN))
    if result.elsewhere:
        lines += ["", f"{counted(result.elsewhere, 'certificate')} without a name of the policy"]
    return "\n".join(lines)


def _known_by_name(result: CAABacktest) -> frozenset[str]:
    return frozenset(each.ca for each in result.tried if each.how is How.BY_NAME)


def _table(title: str, tallies: Sequence[Tally], by_name: frozenset[str]) -> Iterator[str]:
    yield from ("", title)
    width = min(_WIDEST, max(len(shown(each.of, _LONGEST_CA)) for each in tallies[:_MOST]))
    for each in tallies[:_MOST]:
        mark = " (told by its name alone)" if each.of in by_name else ""
        yield f"  {shown(each.of, _LONGEST_CA):<{width}}  {counts(each)}{mark}"
    if len(tallies) > _MOST:
        yield f"  and {len(tallies) - _MOST:,} more (see --json)"


def counts(tally: Tally) -> str:
    """How a tally stands, in words, with the days of the refusals."""
    parts = []
    if tally.refused:
        parts.append(f"{tally.refused:,} refused ({_span(tally)})")
    if tally.unknown:
        parts.append(f"{tally.unknown:,} cannot be told")
    if tally.allowed:
        parts.append(f"{tally.allowed:,} allowed")
    return ", ".join(parts)


def _certificates(title: str, tried: Sequence[TriedIssuance]) -> Iterator[str]:
    if not tried:
        return
    yield from ("", title)
    # The newest are those whose renewal is still to come.
    for each in reversed(tried[-_MOST:]):
        issuance = each.issuance
        until = f"valid until {day(issuance.not_after)}" if each.valid else "ended"
        yield (
            f"  {day(issuance.not_before)}  {shown(each.ca, _LONGEST_CA)}  "
            f"{some([name.name for name in each.names])}  ({until}; {_where(each)})"
        )
        yield f"    {reason_of(each.deciding)}"
    if len(tried) > _MOST:
        yield f"  and {len(tried) - _MOST:,} older ones (see --json)"


def reason_of(name: TriedName) -> str:
    """Why a name fares as it does, with the word of the rule."""
    why = "; ".join(shown(each, 300) for each in name.why[:3])
    return f"{shown(name.name, 100)}: {why} [{name.reason}]"


def _where(each: TriedIssuance) -> str:
    issuance = each.issuance
    place = f"{issuance.source} {shown(issuance.reference, 80)}".strip()
    return f"serial {shown(issuance.serial, 60)}, {place}" if issuance.serial else place


def backtest_json(told: Backtested) -> dict[str, Any]:
    """The documented object."""
    result = told.result
    return {
        "verdict": str(result.verdict),
        "at": moment(result.at),
        "since": None if told.since is None else moment(told.since),
        "names": list(told.names),
        "sources": list(told.sources),
        "profile": told.profile,
        "policy": {
            "from": told.kind,
            "sets": [
                {"name": name, "records": _records(lookup), "problem": lookup.problem or None}
                for name, lookup in told.sets.items()
            ],
        },
        "certificates": len(result.tried),
        "refused": len(result.of(_REFUSED)),
        "unknown": len(result.of(_UNKNOWN)),
        "allowed": len(result.of(_ALLOWED)),
        "elsewhere": result.elsewhere,
        "failing_renewals": len(result.failing),
        "perhaps_replaced": len(result.replaced),
        "first_renewal_due": moment(result.failing[0].issuance.not_after)
        if result.failing
        else None,
        "by_ca": [_tally_json("ca", each) for each in result.by_ca()],
        "by_name": [_tally_json("name", each) for each in result.by_name()],
        "issuances": [_issuance_json(each) for each in result.tried],
        "failures": list(told.failures),
        "notes": list(told.notes),
    }


def moment(at: datetime) -> str:
    """A moment as it stands in JSON."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _records(lookup: Lookup) -> list[str]:
    if lookup.outcome is not Outcome.RECORDS:
        return []
    return [*map(to_presentation, lookup.records), *map(to_generic, lookup.broken)]


def _tally_json(key: str, tally: Tally) -> dict[str, Any]:
    return {
        key: tally.of,
        "refused": tally.refused,
        "unknown": tally.unknown,
        "allowed": tally.allowed,
        "first": moment(tally.first),
        "last": moment(tally.last),
        "first_refused": None if tally.first_refused is None else moment(tally.first_refused),
        "last_refused": None if tally.last_refused is None else moment(tally.last_refused),
    }


def _issuance_json(each: TriedIssuance) -> dict[str, Any]:
    issuance = each.issuance
    return {
        "verdict": str(each.verdict),
        "reason": each.deciding.reason,
        "ca": each.ca,
        "ca_known": None if each.how is None else str(each.how),
        "ca_domain": each.domain or None,
        "issuer": issuance.issuer,
        "serial": issuance.serial,
        "tbs_sha256": None if issuance.tbs_sha256 is None else issuance.tbs_sha256.hex(),
        "not_before": moment(issuance.not_before),
        "not_after": moment(issuance.not_after),
        "valid": each.valid,
        "source": issuance.source,
        "reference": issuance.reference,
        "names": [
            {
                "name": name.name,
                "verdict": str(name.verdict),
                "reason": name.reason,
                "relevant_name": name.relevant_name,
                "why": list(name.why),
            }
            for name in each.names
        ],
    }
