"""Faults of what one policy says besides its pins: its end, its mode, its reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from pinwarden import findings
from pinwarden.errors import MalformedError, quoted
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.draft import DraftPolicy
from pinwarden.pinning.host import is_ip, normalise_host
from pinwarden.pinning.lint.setting import LintSetting, days, found, shown_set
from pinwarden.pinning.policy import Mode, OnExpiry

__all__ = ["lint_policy", "report_host"]

_FAR = timedelta(days=2 * 365)
_THEN = {
    OnExpiry.CLOSED: "every connection is refused",
    OnExpiry.OPEN: "clients connect without pins",
    OnExpiry.REPORT_ONLY: "mismatches are only reported",
    None: "it is not said what happens",
}


def lint_policy(policy: DraftPolicy, setting: LintSetting) -> Iterator[Finding]:
    """What is wrong with a policy by itself."""
    for problem in policy.problems:
        yield found(findings.PIN_SET_REFUSED, policy, f"clients refuse the set: {problem}")
    yield from _ends(policy, setting)
    yield from _reach(policy, setting)
    yield from _mode(policy)
    yield from _reports(policy)


def _ends(policy: DraftPolicy, setting: LintSetting) -> Iterator[Finding]:
    last, today = policy.expires, setting.today
    if last is None:
        yield found(
            findings.PIN_NO_EXPIRY,
            policy,
            "never expires: a copy that is forgotten in an old release pins for ever",
        )
        return
    then, when = _THEN[policy.on_expiry], days(last, today)
    if policy.expired(setting.at):
        yield found(
            findings.PIN_EXPIRED, policy, f"its last day was {last} ({when}), and now {then}"
        )
    elif last - today <= setting.soon:
        yield found(
            findings.PIN_EXPIRING, policy, f"its last day is {last} ({when}); after it {then}"
        )
    elif last - today > _FAR:
        yield found(
            findings.PIN_EXPIRY_FAR,
            policy,
            f"its last day is {last} ({when}): longer than any leaf certificate and many a CA's "
            "plans last",
        )
    if policy.on_expiry is OnExpiry.OPEN and not policy.expired(setting.at):
        yield found(
            findings.PIN_EXPIRY_OPEN,
            policy,
            f"after {last} clients that were not updated connect without pins, and nobody is told",
        )


def _reach(policy: DraftPolicy, setting: LintSetting) -> Iterator[Finding]:
    if is_ip(policy.host):
        return
    if setting.is_public_suffix is not None and setting.is_public_suffix(policy.host):
        below = ", and covers whatever strangers register there" * policy.include_subdomains
        yield found(
            findings.PIN_PUBLIC_SUFFIX,
            policy,
            f"{display(policy.host)} is a public suffix: it stands for many owners{below}",
        )
    if setting.is_own is not None and not setting.is_own(policy.host):
        yield found(
            findings.PIN_FOREIGN_HOST,
            policy,
            f"{shown_set(policy)}: whoever runs it changes keys without asking you",
        )


def _mode(policy: DraftPolicy) -> Iterator[Finding]:
    if policy.mode is not Mode.REPORT_ONLY:
        return
    yield found(findings.PIN_REPORT_ONLY, policy, "a mismatch is told, and the connection goes on")
    if not policy.report_uri:
        yield found(
            findings.PIN_REPORT_NOWHERE,
            policy,
            "only reports, and names no report_uri: what it finds stays in each client's own log",
        )


def _reports(policy: DraftPolicy) -> Iterator[Finding]:
    if not policy.report_uri:
        return
    where = "report_uri"
    host = report_host(policy.report_uri)
    if host is None:
        yield found(
            findings.PIN_REPORT_INVALID,
            policy,
            f"{quoted(policy.report_uri)} is no http or https address",
            where,
        )
    elif policy.report_uri.lower().startswith("http:"):
        yield found(
            findings.PIN_REPORT_PLAIN,
            policy,
            f"reports go to {display(host)} in plain text, through the network that is doubted",
            where,
        )


def report_host(uri: str) -> str | None:
    """The host that reports go to, normalised; None if it is no address for them."""
    try:
        parts = urlsplit(uri)
        # The port is read when it is asked for, and can be wrong by itself.
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            return None
        return normalise_host(parts.hostname)
    except (ValueError, MalformedError):
        return None
