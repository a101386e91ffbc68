"""Whether each promise of a log that comes with the certificate verifies."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.audit.checks.outcome import Outcome, nothing_served, place_of
from pinwarden.audit.facts import CTFacts, Facts, Presentation
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.ct.presented import SCTStatus
from pinwarden.ct.sct_findings import findings_of_scts, sct_name
from pinwarden.findings import Finding

__all__ = ["check_scts"]

_CHECK = "signatures"
_NONE = "there is no SCT"


def check_scts(facts: Facts) -> Iterator[Outcome]:
    """A finding for each kind of fault, whichever chain has it."""
    if not facts.shown:
        yield nothing_served(Area.SCTS)
        return
    met: dict[str, Finding] = {}
    for shown in facts.shown:
        if not isinstance(shown.ct, CTFacts):
            continue
        for each in findings_of_scts(shown.ct.scts, facts.host, shown.ct.problems):
            met.setdefault(each.id, each)
    yield from met.values()
    for shown in facts.shown:
        yield from _beside(shown, place_of(shown, facts))


def _beside(shown: Presentation, where: str) -> Iterator[Outcome]:
    """What passed and what was not checked of one chain."""
    at = f" (at {where})" if where else ""
    ct = shown.ct
    if not isinstance(ct, CTFacts):
        # Why none is needed is for the policies to say.
        why = ct.why if ct.failed else _NONE
        yield NotChecked(Area.SCTS, _CHECK, why + at, failed=ct.failed)
        return
    valid = [each for each in ct.scts if each.status is SCTStatus.VALID]
    left = [each for each in ct.scts if each.status is SCTStatus.NOT_CHECKED]
    if valid:
        words = ", ".join(map(sct_name, valid[:5]))
        rest = f" and {len(valid) - 5} more" if len(valid) > 5 else ""
        count = f"{len(valid)} SCTs verify" if len(valid) > 1 else "one SCT verifies"
        yield Passed(Area.SCTS, _CHECK, f"{count}: {words}{rest}{at}")
    if left:
        why = f"{len(left)} SCTs: {left[0].reason}{at}"
        yield NotChecked(Area.SCTS, _CHECK, why, failed=True)
    if not ct.scts and not ct.problems:
        yield NotChecked(Area.SCTS, _CHECK, _NONE + at, failed=False)
    if shown.handed_problem:
        why = f"SCTs beside the certificate: {shown.handed_problem}{at}"
        yield NotChecked(Area.SCTS, "handed over", why, failed=False)
