"""Whether every address of the host answers, with TLS, in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, finding, places
from pinwarden.audit.facts import Facts
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.net.served import Failure, ServedAddress

__all__ = ["check_connection"]

_KINDS = {
    Failure.UNREACHABLE: findings.TLS_UNREACHABLE,
    Failure.TIMEOUT: findings.TLS_TIMEOUT,
    Failure.NOT_TLS: findings.TLS_NOT_TLS,
    Failure.REFUSED: findings.TLS_REFUSED,
    Failure.FORBIDDEN: findings.TLS_FORBIDDEN,
}
# What the operating system says without a route, in the words of `net.tls`: it is this machine
# that lacks one, usually for IPv6.
_NO_ROUTE = "network is unreachable"


def check_connection(facts: Facts) -> Iterator[Outcome]:
    """A finding for each way in which addresses do not come to a handshake."""
    served = facts.served
    if not served.addresses:
        problem = served.problem or "has no address"
        yield finding(findings.TLS_NO_ADDRESS, facts, f"{facts.host}: {problem}")
        return
    answered = [each for each in served.addresses if _answered(each)]
    failed = [each for each in served.addresses if not _answered(each)]
    if answered:
        yield Passed(Area.CONNECTION, "handshake", _handshakes(answered))
        no_route = [each for each in failed if each.problem.endswith(_NO_ROUTE)]
        failed = [each for each in failed if each not in no_route]
        if no_route:
            why = f"this machine has no way to {places(no_route)}"
            yield NotChecked(Area.CONNECTION, "addresses", why, failed=False)
    for failure, kind in _KINDS.items():
        met = [each for each in failed if each.failure is failure]
        if met:
            message = f"{places(met)} {met[0].problem}"
            yield finding(kind, facts, message, places(met))
    if served.left_out:
        why = f"{served.left_out} more addresses were not asked"
        yield NotChecked(Area.CONNECTION, "more addresses", why, failed=True)


def _answered(served: ServedAddress) -> bool:
    return bool(served.verified) or served.failure in (None, Failure.UNTRUSTED)


def _handshakes(answered: Sequence[ServedAddress]) -> str:
    protocols = ", ".join(dict.fromkeys(each.protocol or "TLS" for each in answered))
    return f"{protocols} at {places(answered)}"
