"""SCTs that are judged already, of logs in any state, and certificates of any validity."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from pinwarden.ct.head import LogID
from pinwarden.ct.log import Listing, Log, LogKind, LogState, PreviousOperator, Program
from pinwarden.ct.policy import PolicyResult
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCT, SCTSource
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = [
    "DAY",
    "HOUR",
    "LONG_AGO",
    "NOW",
    "SECOND",
    "SHORT",
    "SIGNED",
    "certificate",
    "failed",
    "in_state",
    "lasting",
    "listing",
    "made_log",
    "made_sct",
    "scts_of",
]

LONG_AGO = datetime(2013, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SIGNED = NOW - timedelta(days=20)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
_START, _END = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 4, 2, 3, 4, 4, tzinfo=UTC)


def certificate(not_before: datetime, not_after: datetime) -> CertificateView:
    """A certificate valid between these times, in whichever order; its signature is broken."""
    der = _template()
    for old, new in ((_START, not_before), (_END, not_after)):
        assert der.count(_utc_time(old)) == 1
        der = der.replace(_utc_time(old), _utc_time(new))
    return view_certificate(der)


def made_log(
    name: str,
    operator: str | None = None,
    *listings: Listing,
    kind: LogKind = LogKind.RFC6962,
    interval: tuple[datetime, datetime] | None = None,
    previous: tuple[tuple[str, datetime], ...] = (),
) -> Log:
    """A log; without listings it is usable to everybody since long ago."""
    operator = f"Operator of {name}" if operator is None else operator
    if not listings:
        listings = tuple(listing(program) for program in (Program.CHROME, Program.APPLE))
    return Log(
        log_id=LogID(sha256(name.encode()).digest()),
        key=b"",
        description=name,
        operator=operator,
        kind=kind,
        url="",
        interval=interval,
        previous_operators=tuple(PreviousOperator(*each) for each in previous),
        listings=tuple(replace(each, operator=operator) for each in listings),
    )


def listing(
    program: Program,
    state: LogState = LogState.USABLE,
    since: datetime | None = LONG_AGO,
    *,
    earlier: tuple[tuple[LogState, datetime | None], ...] = (),
    as_of: datetime | None = None,
) -> Listing:
    """What a program's list says of a log."""
    return Listing(
        program=program, operator="", state=state, since=since, earlier=earlier, as_of=as_of
    )


def made_sct(
    log: Log | None,
    timestamp: datetime,
    source: SCTSource = SCTSource.EMBEDDED,
    status: SCTStatus = SCTStatus.VALID,
    *,
    leaf_index: int | None = None,
    log_id: LogID | None = None,
) -> JudgedSCT:
    """An SCT of a log; None is a log that no list names."""
    index = b"" if leaf_index is None else b"\x00\x00\x05" + leaf_index.to_bytes(5, "big")
    sct = SCT(
        log_id=log.log_id if log is not None else log_id or LogID(bytes(32)),
        timestamp_ms=int(timestamp.timestamp() * 1000),
        timestamp=timestamp,
        extensions=index,
        signature=b"",
        raw=b"",
    )
    if log is None and status is SCTStatus.VALID:
        status = SCTStatus.UNKNOWN_LOG
    return JudgedSCT(source=source, raw=b"", sct=sct, status=status, log=log)


def _utc_time(time: datetime) -> bytes:
    return time.strftime("%y%m%d%H%M%SZ").encode()


@cache
def _template() -> bytes:
    lifetime = _END - _START + timedelta(seconds=1)
    ca = CA("Policy CA", at=_START)
    return ca.issue(["www.example.com"], not_before=_START, days=lifetime.days).certificate


def lasting(lifetime: timedelta, start: datetime = SIGNED) -> CertificateView:
    """A certificate whose notAfter is this long after its notBefore."""
    return certificate(start, start + lifetime)


def scts_of(*operators: str, source: SCTSource = SCTSource.EMBEDDED) -> list[JudgedSCT]:
    """An SCT of a usable log of each of these operators."""
    return [
        made_sct(made_log(f"L{number}", operator), SIGNED, source)
        for number, operator in enumerate(operators)
    ]


def in_state(
    name: str,
    state: LogState,
    since: datetime | None,
    *,
    earlier: tuple[tuple[LogState, datetime | None], ...] = (),
) -> Log:
    """A log in a state to Chrome and Apple."""
    programs = (Program.CHROME, Program.APPLE)
    return made_log(
        name, None, *(listing(each, state, since, earlier=earlier) for each in programs)
    )


def failed(result: PolicyResult) -> list[str]:
    """The rules that were not met."""
    return [rule.rule for rule in result.rules if rule.passed is False]


SHORT = lasting(90 * DAY)
