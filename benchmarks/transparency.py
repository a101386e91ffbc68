"""Verifying SCTs, beside OpenSSL's own rate for one P-256 signature in the same run.

An SCT is one signature over a certificate that must first be taken apart, so OpenSSL's
rate is the most there could be. `verify_sct` has the signed entry ready, as for the
second SCT of a certificate; `judge_scts` begins at the certificate as it was received.
The rounds take turns, and what is told is the median.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pinwarden.ct.head import LogKey
from pinwarden.ct.log import LogKind, LogList
from pinwarden.ct.presented import PresentedSCT, SCTStatus, judge_scts
from pinwarden.ct.sct import SCTSource, embedded_entry, parse_sct, parse_sct_list, verify_sct
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.x509.certificate import view_certificate

_LOGS = 3
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Rates:
    """SCTs, or bare signatures, a second of CPU time, by who verifies."""

    openssl: float
    verify_sct: float
    judge_scts: float


def measure(rounds: int) -> Rates:
    """Verify the SCTs of one certificate again and again, in turns with OpenSSL."""
    logs = [LabLog(f"bench{number}") for number in range(_LOGS)]
    issued = CA("Bench CA").issue(["api.shop.example"], logs=logs)
    known = LogList(logs=tuple(log.description(LogKind.RFC6962) for log in logs))
    certificate, issuer = view_certificate(issued.certificate), view_certificate(issued.chain[0])
    presented = [
        PresentedSCT(SCTSource.EMBEDDED, raw) for raw in parse_sct_list(certificate.sct_list or b"")
    ]
    at = datetime.now(UTC)
    entry = embedded_entry(certificate, issuer)
    scts = [parse_sct(each.raw) for each in presented]
    keys = [LogKey(known.by_id[sct.log_id].key) for sct in scts]

    def verify() -> None:
        for sct, key in zip(scts, keys, strict=True):
            verify_sct(sct, entry, key)

    def judge() -> None:
        judged = judge_scts(
            view_certificate(issued.certificate),
            view_certificate(issued.chain[0]),
            presented,
            known,
            at,
        )
        assert all(each.status is SCTStatus.VALID for each in judged)

    taken: dict[str, list[float]] = {"openssl": [], "verify": [], "judge": []}
    for _ in range(rounds):
        taken["openssl"].append(_openssl_rate())
        taken["verify"].append(_LOGS * _rate(verify))
        taken["judge"].append(_LOGS * _rate(judge))
    return Rates(*(statistics.median(each) for each in taken.values()))


def _rate(work: Callable[[], None]) -> float:
    work()
    began = time.process_time()
    for _ in range(_BATCH):
        work()
    return _BATCH / (time.process_time() - began)


def _openssl_rate() -> float:
    command = ["openssl", "speed", "-seconds", "1", "ecdsap256"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"nistp256\)\s.*\s([0-9.]+)\s*$", said, re.MULTILINE)
    assert found is not None, said
    return float(found[1])


def report(rates: Rates) -> Iterator[str]:
    """The lines to show."""
    yield "SCTs: verifications a second of CPU time (P-256)"
    for what, rate in (
        ("openssl speed, the signature alone", rates.openssl),
        ("verify_sct", rates.verify_sct),
        ("judge_scts, from the certificate on", rates.judge_scts),
    ):
        yield f"  {what:<36} {rate:8.0f}   {100 * rate / rates.openssl:5.0f} %"
