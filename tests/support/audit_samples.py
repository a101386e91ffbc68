"""Audits of made-up hosts, as reports are tested on them: good, broken, unfinished, hostile."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta

from pinwarden import findings
from pinwarden.audit.report import (
    Area,
    AuditReport,
    NotChecked,
    Passed,
    ReportedCAA,
    ReportedCertificate,
    ReportedChain,
)
from pinwarden.ct.head import LogID
from pinwarden.ct.leaf import encode_leaf_index
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.policy import BrowserPolicy, Forecast, PolicyResult, RuleResult
from pinwarden.ct.presented import Flaw, JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCT, SCTSource
from pinwarden.findings import Finding, FindingKind

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ISSUED = datetime(2026, 10, 2, 9, 30, tzinfo=UTC)


def pin(name: str) -> str:
    """The pin of the key that goes by a name."""
    return "sha256//" + b64encode(hashlib.sha256(name.encode()).digest()).decode()


def reported(
    role: str = "leaf",
    subject: str = "CN=www.example.com",
    issuer: str = "CN=R11,O=Example Encrypt,C=US",
    *,
    names: tuple[str, ...] = (),
    start: datetime | None = ISSUED,
    days: float = 90,
    sent: bool = True,
    problem: str = "",
) -> ReportedCertificate:
    """One certificate of a chain."""
    return ReportedCertificate(
        role=role,
        subject=subject,
        issuer=issuer,
        names=names,
        not_before=start,
        not_after=None if start is None else start + timedelta(days=days),
        key="ECDSA P-256",
        pin=pin(subject),
        sha256=hashlib.sha256(subject.encode()).hexdigest(),
        sent=sent,
        problem=problem,
    )


def good_chain() -> ReportedChain:
    """Leaf, intermediate and root, of which the server does not send the last."""
    intermediate, root = "CN=R11,O=Example Encrypt,C=US", "CN=Example Root X1,O=Example Trust,C=US"
    return ReportedChain(
        addresses=("192.0.2.10:443", "[2001:db8::10]:443"),
        verified=True,
        problem="",
        certificates=(
            reported(names=("www.example.com", "example.com")),
            reported(
                "intermediate", intermediate, root, start=ISSUED - timedelta(days=900), days=1825
            ),
            reported(
                "root", root, root, start=ISSUED - timedelta(days=4000), days=9125, sent=False
            ),
        ),
    )


def judged(
    name: str,
    status: SCTStatus = SCTStatus.VALID,
    *,
    source: SCTSource = SCTSource.EMBEDDED,
    at: datetime = ISSUED,
    flaws: tuple[Flaw, ...] = (),
    reason: str = "",
) -> JudgedSCT:
    """One SCT of the log that goes by a name."""
    log_id = LogID(hashlib.sha256(name.encode()).digest())
    sct = SCT(
        log_id=log_id,
        timestamp_ms=int(at.timestamp() * 1000),
        timestamp=at,
        extensions=encode_leaf_index(123_456),
        signature=b"\x04\x03\x00\x01x",
        raw=b"raw",
    )
    known = status is not SCTStatus.UNKNOWN_LOG
    log = Log(
        log_id=log_id,
        key=b"key",
        description=f"Example {name!r} log",
        operator=f"{name} operator",
        kind=LogKind.STATIC,
        url=f"https://{name}.example/",
    )
    return JudgedSCT(
        source=source,
        raw=sct.raw,
        sct=sct,
        status=status,
        log=log if known else None,
        flaws=flaws,
        reason=reason,
    )


def policies(compliant: bool | None = True) -> tuple[PolicyResult, ...]:
    """What the browsers say, each by two rules."""
    return tuple(
        PolicyResult(
            policy=policy,
            at=AT,
            compliant=compliant,
            edition=f"{policy} 2026-04-15",
            way="embedded",
            rules=(
                RuleResult(
                    rule="enough-scts",
                    passed=compliant,
                    reason="2 SCTs count, and 2 are needed up to 180 days",
                    source=f"{policy} policy, section 1",
                ),
                RuleResult(
                    rule="distinct-operators",
                    passed=True,
                    reason="2 operators count, and 2 are needed",
                    source=f"{policy} policy, section 2",
                ),
            ),
        )
        for policy in BrowserPolicy
    )


_PASSED = (
    (Area.CONNECTION, "connected", "both addresses answer with TLS 1.3"),
    (Area.CHAIN, "verified", "the chain leads to Example Root X1"),
    (Area.CHAIN, "dates", "the certificate is good for another 38 days"),
    (Area.CHAIN, "name", "the certificate is for www.example.com"),
    (Area.SCTS, "signatures", "2 SCTs, each with a valid signature of a log that is known"),
    (Area.POLICY, "browsers", "chrome, apple and firefox accept the SCTs"),
    (Area.CAA, "renewal", "CAA allows encrypt.example for both names of the certificate"),
    (Area.DNSSEC, "signed", "the zone example.com is signed, and the signatures hold"),
    (Area.HEADERS, "retired", "neither Public-Key-Pins nor Expect-CT is sent"),
)


def good_audit(target: str = "www.example.com") -> AuditReport:
    """A host with nothing wrong."""
    return AuditReport(
        target=target,
        host=target,
        port=443,
        at=AT,
        found=(),
        passed=tuple(Passed(*each) for each in _PASSED),
        not_checked=(
            NotChecked(Area.PINS, "pin-set", "no pin set was named (--pins)", False),
            NotChecked(Area.HISTORY, "logged", "no store was named (--store)", False),
        ),
        addresses=("192.0.2.10:443", "[2001:db8::10]:443"),
        chains=(good_chain(),),
        scts=(judged("oak"), judged("elm", at=ISSUED + timedelta(seconds=3))),
        policies=policies(),
        forecasts=(
            Forecast(
                policy=BrowserPolicy.APPLE,
                at=datetime(2026, 12, 15, tzinfo=UTC),
                compliant=False,
                because="the log Example 'elm' log retires",
            ),
        ),
        caa=ReportedCAA(
            relevant_name="example.com",
            records=('0 issue "encrypt.example"', '0 iodef "mailto:security@example.com"'),
            dnssec="secure",
            owner="Example Encrypt",
            issuers=("encrypt.example",),
            verdict="allowed",
            reason="0 issue names encrypt.example",
        ),
    )


def found(kind: FindingKind, message: str, **details: str) -> Finding:
    """A finding about the host of the samples."""
    return Finding(
        kind=kind, subject="www.example.com", message=message, details=tuple(details.items())
    )


def broken_audit(target: str = "old.example.com:8443") -> AuditReport:
    """A host with an expired certificate, a missing intermediate, and worse."""
    leaf = reported(
        subject="CN=old.example.com",
        names=("old.example.com",),
        start=AT - timedelta(days=100),
        problem="expired 10 days ago",
    )
    return AuditReport(
        target=target,
        host="old.example.com",
        port=8443,
        at=AT,
        found=(
            found(
                findings.TLS_EXPIRED,
                "the certificate ended on 2026-11-14, 10 days ago",
                where="192.0.2.66:8443",
            ),
            found(
                findings.TLS_MISSING_INTERMEDIATE,
                "the server sends the leaf alone, and browsers that have not met its issuer fail",
                where="192.0.2.66:8443",
                issuer="CN=R11,O=Example Encrypt,C=US",
            ),
            found(findings.HPKP_PRESENT, "Public-Key-Pins is still sent: browsers ignore it"),
            found(findings.EXPECT_CT_PRESENT, "Expect-CT is still sent: browsers ignore it"),
        ),
        passed=(Passed(Area.CONNECTION, "connected", "the address answers with TLS 1.2"),),
        not_checked=(
            NotChecked(Area.CAA, "renewal", "the resolver 192.0.2.53 does not answer", True),
            NotChecked(Area.HISTORY, "logged", "no store was named (--store)", False),
        ),
        addresses=("192.0.2.66:8443",),
        chains=(
            ReportedChain(
                addresses=("192.0.2.66:8443",),
                verified=False,
                problem="certificate has expired",
                certificates=(leaf,),
            ),
        ),
        scts=(
            judged("oak", at=AT - timedelta(days=100)),
            judged(
                "nowhere",
                SCTStatus.UNKNOWN_LOG,
                at=AT - timedelta(days=100),
                flaws=(Flaw.UNKNOWN_LOG,),
                reason="no log list in use has this log",
            ),
        ),
        policies=policies(False),
        notes=("the log list is 12 days old",),
    )


def unreachable_audit(target: str = "down.example.com") -> AuditReport:
    """A host of which nothing is known but that it does not answer."""
    areas = (Area.CHAIN, Area.SCTS, Area.POLICY, Area.HEADERS)
    return AuditReport(
        target=target,
        host=target,
        port=443,
        at=AT,
        found=(found(findings.TLS_UNREACHABLE, "192.0.2.99:443 refuses connections"),),
        passed=(),
        not_checked=tuple(
            NotChecked(area, str(area), "the host could not be asked", True) for area in areas
        ),
        addresses=("192.0.2.99:443",),
    )


def unfinished_audit(target: str = "half.example.com") -> AuditReport:
    """A host with nothing found, of which something was not looked at: never a pass."""
    return AuditReport(
        target=target,
        host=target,
        port=443,
        at=AT,
        found=(),
        passed=(Passed(Area.CONNECTION, "connected", "the address answers with TLS 1.3"),),
        not_checked=(NotChecked(Area.CAA, "renewal", "the resolver does not answer", True),),
    )


def audit_of(text: str) -> AuditReport:
    """A report every foreign field of which holds this text."""
    certificate = ReportedCertificate(
        role="leaf",
        subject=text,
        issuer=text,
        names=(text,) * 3,
        not_before=ISSUED,
        not_after=ISSUED + timedelta(days=90),
        key=text,
        pin=text,
        sha256=text,
        sent=False,
        problem=text,
    )
    sct = judged("oak", reason=text)
    assert sct.log is not None
    rule = RuleResult(rule=text, passed=None, reason=text, source=text)
    return AuditReport(
        target=text,
        host=text,
        port=443,
        at=AT,
        found=(
            Finding(
                kind=findings.TLS_WRONG_NAME,
                subject=text,
                message=text,
                details=(("where", text), (text, text)),
                evidence=((text, text.encode("utf-8", "replace")),),
            ),
        ),
        passed=(Passed(Area.CHAIN, text, text),),
        not_checked=(
            NotChecked(Area.CAA, text, text, True),
            NotChecked(Area.PINS, text, text, False),
        ),
        addresses=(text,),
        chains=(
            ReportedChain(
                addresses=(text,), verified=False, problem=text, certificates=(certificate,) * 2
            ),
        ),
        scts=(sct,),
        policies=(
            PolicyResult(
                policy=BrowserPolicy.CHROME,
                at=AT,
                compliant=None,
                edition=text,
                way=text,
                rules=(rule,),
            ),
        ),
        forecasts=(
            Forecast(
                policy=BrowserPolicy.CHROME, at=AT + timedelta(days=5), compliant=None, because=text
            ),
        ),
        caa=ReportedCAA(
            relevant_name=text,
            records=(text,),
            dnssec=text,
            owner=text,
            issuers=(text,),
            verdict=text,
            reason=text,
        ),
        notes=(text,),
    )


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "breaks-out": "\"'></title></style></svg><img src=x onerror=alert(1)>",
    "entity": "&lt;script&gt; &amp; &#x3c;",
    "markdown": "[log in](https://evil.example) ![x](https://evil.example/x.png) `x` **b** @all #1",
    "html-in-markdown": "</code></pre>\n\n# heading\n\n<img src=x>\n- item\n| a | b |",
    "placeholders": "{0} {{1}} %s $(id) {{ 7*7 }} [x](1)",
    "fences": "``````\n~~~\n``` `` ` |a|b|",
    "autolinks": "https://evil.example/ www.evil.example a@evil.example",
    "line-breaks": "a\r\nb\u2028c\u0085d\x0be",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "bidi": "moc.elpmaxe\u202e.evil\u2066",
    "surrogate": "\ud800",
    "nul": "a\x00b\ufffe",
    "long": "x" * 100_000,
    "long-wide": "漢" * 100_000,
    "long-words": "word " * 20_000,
    "blank": "",
    "spaces": "   ",
}
