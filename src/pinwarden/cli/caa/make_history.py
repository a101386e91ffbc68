"""What the history of a name says of the policy that it needs, and what that would cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.caa.backtest import BacktestVerdict, backtest_policy
from pinwarden.caa.formats.form import RecordSet
from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.caa.issuers.past import issuer_of_past
from pinwarden.caa.profiles import RFC8659
from pinwarden.caa.proposal import Evidence
from pinwarden.cli.caa.backtest_view import refusals
from pinwarden.cli.caa.evidence import policy_names
from pinwarden.cli.caa.meant_policy import policy_of_records
from pinwarden.cli.history_sources import history_from, load_history
from pinwarden.cli.output import say
from pinwarden.issuances import PastIssuance
from pinwarden.render.account import counted

__all__ = ["Past", "past_of", "told_costs"]

_DAYS = 365


@dataclass(frozen=True, slots=True)
class Past:
    """The certificates of the past, and those among them that a policy must permit."""

    issuances: tuple[PastIssuance, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def past_of(
    names: Sequence[str], options: dict[str, Any], issuers: IssuerMap, at: datetime
) -> Past:
    """Ask sources of history for names: evidence is what is valid now, or issued since then.

    `options` as `history_from` takes them. Raises whatever the first failure of a source was:
    a policy of half a history would lock out the other half.
    """
    by_date = options["since"] is not None
    asked = history_from(
        {"days": None, **options},
        at=at,
        days=_DAYS,
        below=True,
        still_valid=not by_date,
        flag="--from-history",
    )
    history = load_history(names, asked)
    for note in history.notes:
        say(f"note: {note}")
    if history.failures:
        raise history.failures[0]
    needed = (each for each in history.issuances if by_date or each.not_after >= at)
    return Past(
        tuple(history.issuances),
        tuple(
            Evidence(
                names=policy_names(each.names),
                issuer=each.issuer,
                serial=each.serial,
                match=issuer_of_past(each, issuers),
            )
            for each in needed
        ),
    )


def told_costs(
    sets: Sequence[RecordSet], past: Past, issuers: IssuerMap, at: datetime
) -> Iterator[str]:
    """What the records would have refused of the whole history, in a sentence or none."""
    policy = policy_of_records({each.name: each.records for each in sets})
    result = backtest_policy(policy, past.issuances, issuers, RFC8659, at)
    refused = result.of(BacktestVerdict.REFUSED)
    if refused:
        whole = counted(len(result.tried), "certificate")
        yield (
            f"these records would have refused {len(refused):,} of {whole} in the history: "
            f"{refusals(result)}"
        )
    unknown = result.of(BacktestVerdict.UNKNOWN)
    if unknown:
        whole = counted(len(unknown), "certificate")
        yield f"whether they would have refused {whole} in the history cannot be told"
