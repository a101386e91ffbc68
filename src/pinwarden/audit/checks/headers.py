"""Whether Public-Key-Pins or Expect-CT are still sent.

Whatever else is wrong with such a header is no finding here: it is to be removed, and
`pinwarden header lint` tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, nothing_served
from pinwarden.audit.facts import CTFacts, Facts, Unknown
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.errors import MalformedError
from pinwarden.headers.judge import judge_headers
from pinwarden.headers.response import parse_response_head
from pinwarden.pinning.spki import pin_of_certificate

__all__ = ["check_headers"]

_CHECK = "retired headers"
_PRESENT = (
    findings.HPKP_PRESENT,
    findings.HPKP_REPORT_ONLY_PRESENT,
    findings.EXPECT_CT_PRESENT,
)


def check_headers(facts: Facts) -> Iterator[Outcome]:
    """A finding for each retired header that the host's answer has."""
    if isinstance(facts.head, Unknown):
        if not facts.shown and facts.head.failed:
            yield nothing_served(Area.HEADERS)
        else:
            yield NotChecked(Area.HEADERS, _CHECK, facts.head.why, failed=facts.head.failed)
        return
    try:
        head = parse_response_head(facts.head).heads[0]
    except MalformedError as error:
        yield NotChecked(Area.HEADERS, _CHECK, str(error), failed=True)
        return
    report = judge_headers(
        head.fields,
        scheme="https",
        host=facts.host,
        chain_pins=_chain_pins(facts),
        ct_qualified=_qualified(facts),
    )
    found = [each for each in report.findings if each.kind in _PRESENT]
    yield from found
    if not found:
        words = "neither Public-Key-Pins nor Expect-CT is sent"
        yield Passed(Area.HEADERS, _CHECK, words)


def _chain_pins(facts: Facts) -> tuple[str, ...] | None:
    verified = next((each.first.verified for each in facts.shown if each.verified), ())
    try:
        return tuple(pin_of_certificate(each).base64 for each in verified) or None
    except MalformedError:
        return None


def _qualified(facts: Facts) -> bool | None:
    ct = facts.shown[0].ct if facts.shown else None
    return ct.policies[0].compliant if isinstance(ct, CTFacts) and ct.policies else None
