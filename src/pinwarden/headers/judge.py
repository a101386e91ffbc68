"""What the retired headers of an answer say, and what to say about them.

Browsers read none of them any more, so that each is a finding whatever it says, and nothing
in it speaks for a host.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from pinwarden.errors import quoted
from pinwarden.findings import Finding, FindingKind, by_severity
from pinwarden.findings import headers as kinds
from pinwarden.headers.expect_ct import EXPECT_CT, ExpectCT, parse_expect_ct
from pinwarden.headers.fault import FaultKind, HeaderError
from pinwarden.headers.hpkp import (
    PUBLIC_KEY_PINS,
    REPORT_ONLY,
    HPKPPolicy,
    parse_public_key_pins,
)
from pinwarden.headers.meta import find_meta
from pinwarden.headers.report import HeaderReport, JudgedExpectCT, JudgedPins

__all__ = ["judge_headers"]

_HPKP_FAULTS = {
    FaultKind.MALFORMED: kinds.HPKP_MALFORMED,
    FaultKind.DUPLICATE_DIRECTIVE: kinds.HPKP_DUPLICATE_DIRECTIVE,
    FaultKind.MISSING_MAX_AGE: kinds.HPKP_MISSING_MAX_AGE,
    FaultKind.BAD_PIN: kinds.HPKP_BAD_PIN,
}
_EXPECT_CT_FAULTS = {
    FaultKind.MALFORMED: kinds.EXPECT_CT_MALFORMED,
    FaultKind.DUPLICATE_DIRECTIVE: kinds.EXPECT_CT_DUPLICATE_DIRECTIVE,
    FaultKind.MISSING_MAX_AGE: kinds.EXPECT_CT_MISSING_MAX_AGE,
}
_SHOWN = 200
_MOST_SHOWN = 5
# What older software takes for an IPv4 address, and RFC 3986 section 3.2.2 for a name.
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")


@dataclass(frozen=True, slots=True)
class _Answer:
    """Over what an answer came; `chain` is None if it is not known."""

    host: str
    is_secure: bool | None
    is_ip: bool
    chain: frozenset[bytes] | None

    def finding(self, kind: FindingKind, where: str, message: str) -> Finding:
        return Finding(kind=kind, subject=self.host, message=message, details=(("where", where),))


def judge_headers(
    fields: Sequence[tuple[str, str]],
    *,
    scheme: str | None,
    host: str,
    chain_pins: Sequence[str] | None = None,
    ct_qualified: bool | None = None,
    html: str = "",
) -> HeaderReport:
    """The retired headers among the fields of one answer, given in the order in which they came.

    `scheme` is "https" or "http", None if it is not known; `chain_pins` are the base64 SHA-256
    of the keys in the chain as it was verified; `ct_qualified` is whether the certificate came
    with SCTs that satisfy a policy. `html` is the page that came along, if any.
    """
    answer = _Answer(
        host=host,
        is_secure=None if scheme is None else scheme.lower() == "https",
        is_ip=_is_ip(host),
        chain=None if chain_pins is None else frozenset(map(_octets, chain_pins)),
    )
    found: list[Finding] = []
    enforced = _judge_pins(_values(fields, PUBLIC_KEY_PINS), False, answer, found)
    only = _judge_pins(_values(fields, REPORT_ONLY), True, answer, found)
    expect_ct = _judge_expect_ct(_values(fields, EXPECT_CT), answer, ct_qualified, found)
    found += _meta_findings(html, answer)
    return HeaderReport(
        public_key_pins=enforced,
        public_key_pins_report_only=only,
        expect_ct=expect_ct,
        findings=by_severity(found),
    )


def _values(fields: Sequence[tuple[str, str]], name: str) -> list[str]:
    return [value for each, value in fields if each.strip(" \t").lower() == name.lower()]


def _judge_pins(
    values: Sequence[str], report_only: bool, answer: _Answer, found: list[Finding]
) -> JudgedPins | None:
    if not values:
        return None
    where = REPORT_ONLY if report_only else PUBLIC_KEY_PINS
    policy, error = None, None
    try:
        # Section 2.3.1: the first field counts, and no later one stands in for it.
        policy = parse_public_key_pins(values[0], report_only)
    except HeaderError as raised:
        error = raised
    kind = kinds.HPKP_REPORT_ONLY_PRESENT if report_only else kinds.HPKP_PRESENT
    found.append(answer.finding(kind, where, _present(where, policy)))
    if error is not None:
        found += [
            answer.finding(_HPKP_FAULTS[fault.kind], where, _ignored(where, fault.message))
            for fault in error.faults
        ]
    if len(values) > 1:
        message = f"{where} is sent {len(values)} times; clients read the first one only"
        found.append(answer.finding(kinds.HPKP_MULTIPLE_HEADERS, where, message))
    found += _transport(kinds.HPKP_INSECURE_TRANSPORT, kinds.HPKP_IP_ADDRESS, where, answer)
    if policy is None:
        return JudgedPins(None, False)
    found += _policy_findings(policy, where, answer)
    return JudgedPins(policy, False if report_only else _is_noted(policy, answer))


def _is_noted(policy: HPKPPolicy, answer: _Answer) -> bool | None:
    """RFC 7469 section 2.5: over TLS without errors, a pin in the chain, and one outside of it."""
    hashes = policy.hashes
    never = policy.max_age == 0 or answer.is_ip or answer.is_secure is False or len(hashes) <= 1
    if never:
        return False
    if answer.chain is None or answer.is_secure is None:
        return None
    return not hashes.isdisjoint(answer.chain) and not hashes <= answer.chain


def _policy_findings(policy: HPKPPolicy, where: str, answer: _Answer) -> Iterator[Finding]:
    say = answer.finding
    if policy.bad_pins:
        shown = _listed(policy.bad_pins)
        message = f"{where}: no key has such a hash, which is not one of 32 octets: {shown}"
        yield say(kinds.HPKP_BAD_PIN, where, message)
    if policy.unknown:
        message = f"{where}: clients skip what they do not know: {_listed(policy.unknown)}"
        yield say(kinds.HPKP_UNKNOWN_DIRECTIVE, where, message)
    if policy.report_only:
        if policy.report_uri is None:
            message = f"{where} names no report-uri, so that it could never do anything"
            yield say(kinds.HPKP_REPORT_ONLY_WITHOUT_REPORT_URI, where, message)
    elif policy.include_subdomains:
        message = f"{where} pins every name below {_shown_host(answer)} too"
        yield say(kinds.HPKP_INCLUDE_SUBDOMAINS, where, message)
    if policy.max_age == 0:
        message = f"{where} has max-age=0, which has clients forget the pins of the host"
        yield say(kinds.HPKP_MAX_AGE_ZERO, where, message)
    elif answer.is_secure is not False and not answer.is_ip:
        yield from _match_findings(policy, where, answer)


def _match_findings(policy: HPKPPolicy, where: str, answer: _Answer) -> Iterator[Finding]:
    hashes = policy.hashes
    if not policy.pins:
        yield answer.finding(kinds.HPKP_NO_PINS, where, f"{where} holds no pin-sha256")
    elif answer.chain is not None and hashes.isdisjoint(answer.chain):
        message = f"{where}: none of its pins is of a key in the verified chain"
        yield answer.finding(kinds.HPKP_NO_MATCH, where, message)
    elif policy.report_only:
        # Section 2.5 asks for a backup only where a policy is kept.
        return
    elif len(hashes) <= 1 or (answer.chain is not None and hashes <= answer.chain):
        message = f"{where} has no backup pin, so that clients never kept it"
        yield answer.finding(kinds.HPKP_NO_BACKUP_PIN, where, message)


def _judge_expect_ct(
    values: Sequence[str], answer: _Answer, qualified: bool | None, found: list[Finding]
) -> JudgedExpectCT | None:
    if not values:
        return None
    policy, error = None, None
    try:
        policy = parse_expect_ct(values)
    except HeaderError as raised:
        error = raised
    found.append(answer.finding(kinds.EXPECT_CT_PRESENT, EXPECT_CT, _expect_ct_present(policy)))
    if error is not None:
        found += [
            answer.finding(
                _EXPECT_CT_FAULTS[fault.kind], EXPECT_CT, _ignored(EXPECT_CT, fault.message)
            )
            for fault in error.faults
        ]
    found += _transport(
        kinds.EXPECT_CT_INSECURE_TRANSPORT, kinds.EXPECT_CT_IP_ADDRESS, EXPECT_CT, answer
    )
    if policy is None:
        return JudgedExpectCT(None, False)
    found += _expect_ct_findings(policy, answer, qualified)
    never = policy.max_age == 0 or answer.is_ip or answer.is_secure is False
    if never or qualified is False:
        return JudgedExpectCT(policy, False)
    return JudgedExpectCT(policy, None if answer.is_secure is None else qualified)


def _expect_ct_findings(
    policy: ExpectCT, answer: _Answer, qualified: bool | None
) -> Iterator[Finding]:
    if policy.unknown:
        message = f"{EXPECT_CT}: clients skip what they do not know: {_listed(policy.unknown)}"
        yield answer.finding(kinds.EXPECT_CT_UNKNOWN_DIRECTIVE, EXPECT_CT, message)
    if policy.ignored_report_uri is not None:
        shown = quoted(policy.ignored_report_uri, _SHOWN)
        message = f"{EXPECT_CT}: clients send no reports to {shown}, which is not https"
        yield answer.finding(kinds.EXPECT_CT_REPORT_URI_NOT_HTTPS, EXPECT_CT, message)
    if policy.max_age == 0:
        message = f"{EXPECT_CT} has max-age=0, which has clients forget the host"
        yield answer.finding(kinds.EXPECT_CT_MAX_AGE_ZERO, EXPECT_CT, message)
    if qualified is False and answer.is_secure is not False:
        message = (
            f"{EXPECT_CT} came with a certificate that has not the SCTs it asks for, so that "
            "clients never kept it"
        )
        yield answer.finding(kinds.EXPECT_CT_NOT_CT_QUALIFIED, EXPECT_CT, message)


def _transport(
    insecure: FindingKind, ip: FindingKind, where: str, answer: _Answer
) -> Iterator[Finding]:
    if answer.is_secure is False:
        message = f"{where} came over plain HTTP, where clients ignore it"
        yield answer.finding(insecure, where, message)
    if answer.is_ip:
        message = f"{where} came from an IP address; clients keep it for names only"
        yield answer.finding(ip, where, message)


def _meta_findings(html: str, answer: _Answer) -> Iterator[Finding]:
    for each in find_meta(html) if html else ():
        kind = kinds.EXPECT_CT_META_IGNORED if each.name == EXPECT_CT else kinds.HPKP_META_IGNORED
        message = f"{each.name} stands in a meta element, where clients never read it; remove it"
        yield answer.finding(kind, f"meta element in line {each.line}", message)


def _present(name: str, policy: HPKPPolicy | None) -> str:
    message = (
        f"{name} is obsolete: Chrome ignores it since version 72, and so does Firefox since its "
        "version 72; remove it"
    )
    if policy is None:
        return message
    if not policy.report_only and policy.max_age:
        message += (
            f"; a client older than that keeps its pins for {_days(policy.max_age)} after each "
            "visit, and needs the pinned keys for as long"
        )
    return message + _reports(policy.report_uri)


def _expect_ct_present(policy: ExpectCT | None) -> str:
    message = (
        f"{EXPECT_CT} is obsolete: Chrome ignores it since version 107, and no other browser "
        "family ever read it; remove it"
    )
    return message if policy is None else message + _reports(policy.report_uri)


def _reports(uri: str | None) -> str:
    return "" if uri is None else f"; reports still go to {quoted(uri, _SHOWN)}"


def _days(seconds: int) -> str:
    """In words; nobody kept pins for ever (section 4.1 has 60 days for a bound)."""
    day = 86_400
    if seconds < day:
        return f"{seconds} s"
    days = seconds // day
    return "a day" if days == 1 else f"{days} days" if days <= 60 else "60 days or more"


def _ignored(where: str, fault: str) -> str:
    """Some faults begin with what the header does, and others with a part of it."""
    subject = "it " if fault.split(" ", 1)[0] in _VERBS else ""
    return f"{where}: clients ignore all of it, because {subject}{fault}"


_VERBS = {"does", "ends", "has", "holds", "is"}


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(quoted(each, 60) for each in texts[:_MOST_SHOWN])
    more = len(texts) - _MOST_SHOWN
    return shown if more <= 0 else f"{shown} and {more} more"


def _shown_host(answer: _Answer) -> str:
    return quoted(answer.host, _SHOWN) if answer.host else "the host"


def _is_ip(host: str) -> bool:
    """RFC 3986 section 3.2.2: an IP-literal or IPv4address; such hosts are never noted."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        ip_address(bare.partition("%")[0])
    except ValueError:
        return _NUMBERS.fullmatch(bare) is not None
    return True


def _octets(pin: str) -> bytes:
    """A pin of the chain, which is ours and so is one; another matches nothing."""
    try:
        return base64.b64decode(pin, validate=True)
    except (binascii.Error, ValueError):
        return pin.encode("utf-8", "replace")
