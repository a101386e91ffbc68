"""What a change of CAA policy means: who may issue now and might not before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pinwarden.caa.history.difference import newly_permitted, newly_refused
from pinwarden.caa.history.observation import Observation, found_of
from pinwarden.caa.lookup import DNSSECState
from pinwarden.errors import quoted
from pinwarden.findings import CAA_CHANGED, CAA_LOOSENED, Finding

_MOST_SHOWN = 5
_LONGEST = 200


def subject_of(name: str) -> str:
    """What a finding about the CAA policy of a name is about."""
    return f"CAA of {name}"


def signature_subject_of(name: str) -> str:
    """What a finding is about that the answer is no longer signed, the policy being the same."""
    return f"CAA of {name}, DNSSEC"


def is_change(before: Observation, after: Observation) -> bool:
    """Whether a policy is not what it was, or has lost its signature."""
    return before.policy != after.policy or _lost_signature(before, after)


def change_finding(
    before: Observation, after: Observation, also: Sequence[str] = ()
) -> Finding | None:
    """The finding for a policy that is not what it was; None where it is.

    It is `CAA_LOOSENED` if anything is permitted that was refused, `CAA_CHANGED`
    otherwise. Both observations are of policies, not of failures. `also` are other
    names of which the same can be said.
    """
    if not is_change(before, after):
        return None
    moved = before.policy != after.policy
    gained = newly_permitted(found_of(before), found_of(after))
    lost = newly_refused(found_of(before), found_of(after))
    unsigned = ["the answer is no longer signed with DNSSEC"] * _lost_signature(before, after)
    same = ["the same CAs may issue as before"] * (moved and not gained and not lost)
    what = "; ".join((*gained, *lost, *same, *unsigned))
    names = [after.name, *also]
    who = names[0] if not also else f"{names[0]} and {_counted(len(also))}"
    policies = (
        f"before: {policy_text(before)}; now: {policy_text(after)}" if moved else policy_text(after)
    )
    return Finding(
        kind=CAA_LOOSENED if gained else CAA_CHANGED,
        subject=subject_of(after.name) if moved else signature_subject_of(after.name),
        message=f"{who}: {what}; {policies}",
        details=(
            *([("names", ", ".join(_cut(names)))] if also else []),
            ("before", _listed(before)),
            ("now", _listed(after)),
            ("last seen before", before.last_seen.isoformat()),
            ("seen now", after.first_seen.isoformat()),
            ("asked", after.resolver),
        ),
    )


def _counted(others: int) -> str:
    return "1 more name" if others == 1 else f"{others:,} more names"


def _lost_signature(before: Observation, after: Observation) -> bool:
    return (before.dnssec, after.dnssec) == (DNSSECState.SECURE, DNSSECState.INSECURE)


def policy_text(observation: Observation) -> str:
    """A policy in a message: its first records, and where they stand."""
    if observation.relevant_name is None:
        return "no CAA"
    where = ""
    if observation.relevant_name != observation.name:
        where = f" at {quoted(observation.relevant_name, 80)}"
    return f"{_some(observation.records)}{where}"


def _some(records: Sequence[str]) -> str:
    texts = [quoted(record, 120) for record in records[:_MOST_SHOWN]]
    more = len(records) - len(texts)
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


def _listed(observation: Observation) -> str:
    """The records for the details of a finding, which are escaped where they are shown."""
    if observation.relevant_name is None:
        return "no CAA"
    return f"{observation.relevant_name}: {'; '.join(_cut(observation.records))}"


def _cut(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number == 10 * _MOST_SHOWN:
            yield "and more"
            return
        yield text[:_LONGEST]
