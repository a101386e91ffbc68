"""The checks of an audit: pure, one a file, each from the facts to outcomes.

One fault is one finding: what follows from it is not reported again, but not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pinwarden.audit.checks.caa import check_caa
from pinwarden.audit.checks.chain import check_chain
from pinwarden.audit.checks.connection import check_connection
from pinwarden.audit.checks.dnssec import check_dnssec
from pinwarden.audit.checks.headers import check_headers
from pinwarden.audit.checks.history import check_history
from pinwarden.audit.checks.outcome import Outcome
from pinwarden.audit.checks.pins import check_pins
from pinwarden.audit.checks.policy import check_policy
from pinwarden.audit.checks.scts import check_scts
from pinwarden.audit.facts import Facts
from pinwarden.audit.report import Area

__all__ = ["CHECKS", "Outcome"]

CHECKS: dict[Area, Callable[[Facts], Iterator[Outcome]]] = {
    Area.CONNECTION: check_connection,
    Area.CHAIN: check_chain,
    Area.SCTS: check_scts,
    Area.POLICY: check_policy,
    Area.CAA: check_caa,
    Area.DNSSEC: check_dnssec,
    Area.HEADERS: check_headers,
    Area.PINS: check_pins,
    Area.HISTORY: check_history,
}
"""Every area has its check, in the order of a report."""
