"""Faults that lie between the policies of a set: which takes what from which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinwarden import findings
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.draft import Draft, DraftPolicy, covering
from pinwarden.pinning.lint.policies import report_host
from pinwarden.pinning.lint.setting import found, shown_set
from pinwarden.pinning.policy import Mode, OnExpiry, UnpinnedHosts

__all__ = ["lint_between"]

# How much is left of a policy after its last day; without one it goes on.
_AT_THE_END = {OnExpiry.OPEN: 0, OnExpiry.REPORT_ONLY: 1, OnExpiry.CLOSED: 2, None: 2}
_STRICT = {Mode.REPORT_ONLY: 0, None: 0, Mode.ENFORCE: 1}


def lint_between(draft: Draft) -> Iterator[Finding]:
    """What is wrong with the set as a whole."""
    for problem in draft.problems:
        yield found(findings.PIN_SET_REFUSED, None, f"clients refuse the set: {problem}")
    by_host: dict[str, DraftPolicy] = {}
    for policy in draft.policies:
        if policy.host in by_host:
            yield found(
                findings.PIN_SET_REFUSED,
                policy,
                f"clients refuse the set: {display(policy.host, 260)} has two policies",
            )
        by_host.setdefault(policy.host, policy)
    for policy in by_host.values():
        yield from _above(policy, by_host)
        yield from _reports(policy, by_host, draft.unpinned_hosts)
    if draft.unpinned_hosts is UnpinnedHosts.ALLOW:
        yield found(
            findings.PIN_UNPINNED_ALLOWED,
            None,
            "a host that no policy is about, such as the target of a redirect, connects unpinned",
        )


def _above(policy: DraftPolicy, by_host: Mapping[str, DraftPolicy]) -> Iterator[Finding]:
    """The policy that would decide for this one's host if this one were not there."""
    above = covering(policy.host, by_host, without=policy.host)
    if above is None:
        return
    lost = _lost(policy, above)
    if lost:
        yield found(
            findings.PIN_WEAKER_BELOW,
            policy,
            f"decides alone for {shown_set(policy)}, and {lost} where the policy of "
            f"{display(above.host, 260)} does not",
        )
        return
    yield found(
        findings.PIN_SHADOWED,
        policy,
        f"decides alone for {shown_set(policy)}: the pins of {display(above.host, 260)}, which "
        "covers it too, do not count there",
    )


def _lost(policy: DraftPolicy, above: DraftPolicy) -> str:
    if _STRICT[policy.mode] < _STRICT[above.mode]:
        return "only reports"
    if _AT_THE_END[policy.on_expiry] < _AT_THE_END[above.on_expiry]:
        then = "stops pinning" if policy.on_expiry is OnExpiry.OPEN else "only reports"
        return f"{then} after {policy.expires}"
    return ""


def _reports(
    policy: DraftPolicy, by_host: Mapping[str, DraftPolicy], unpinned: UnpinnedHosts
) -> Iterator[Finding]:
    """Reports of a failure must not have to pass the pins that failed (RFC 7469 section 2.1.4)."""
    host = report_host(policy.report_uri) if policy.report_uri else None
    if host is None:
        return
    over = covering(host, by_host)
    if over is not None and over.mode is Mode.ENFORCE:
        own = "the same pins" if over is policy else f"the pins of {display(over.host, 260)}"
        yield found(
            findings.PIN_REPORT_PINNED,
            policy,
            f"reports go to {display(host, 260)}, which is under {own}: where these fail, the "
            "report of it does not get through either",
            "report_uri",
        )
    elif over is None and unpinned is UnpinnedHosts.REFUSE and _is_over_tls(policy.report_uri):
        yield found(
            findings.PIN_REPORT_REFUSED,
            policy,
            f"reports go to {display(host, 260)}, about which there is no policy, and the set "
            "refuses such hosts: in a program that is pinned as a whole they are lost",
            "report_uri",
        )


def _is_over_tls(uri: str) -> bool:
    return uri.lower().startswith("https:")
