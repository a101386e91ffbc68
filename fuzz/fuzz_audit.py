"""Fuzzes what a server shows to an audit: a report whose every word can be shown.

`fuzz/target.py` says how it runs.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime

from target import damaged, run

from pinwarden.audit.rendering.machine import audit_json
from pinwarden.audit.run import AuditTarget, Sources, audit_host
from pinwarden.caa.issuers.map import load_issuers
from pinwarden.ct.known_logs import known_logs
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, HandedOver, ServedAddress, ServedHost

_HOST = "www.example.com"
_AT = datetime(2026, 11, 24, tzinfo=UTC)
_ISSUED = CA(at=_AT).issue([_HOST, "*.example.com"], logs=[LabLog("fuzz")], ips=["192.0.2.1"])
_HEAD = b'HTTP/1.1 200 OK\r\nPublic-Key-Pins: pin-sha256="x"; max-age=1\r\n\r\n'
_CODES = (10, 18, 19, 20, 62, 66)
SEEDS = (*_ISSUED.certificate_chain, _HEAD)


class _Told:
    def __init__(self, *addresses: ServedAddress) -> None:
        self._addresses = addresses

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        return ServedHost(endpoint=endpoint, addresses=self._addresses)


def check(data: bytes) -> None:
    """The octets as a leaf, as an intermediate, as what comes beside them, and as an answer."""
    handed = HandedOver(sct_list=data[:200], ocsp=data[:400])
    verified = (data, *_ISSUED.chain)
    told = [ServedAddress(address="192.0.2.1", port=443, verified=verified, sent=verified)]
    told += [
        ServedAddress(
            address="192.0.2.2",
            port=443,
            sent=(_ISSUED.certificate, data) if code == 20 else verified,
            failure=Failure.UNTRUSTED,
            problem="does not verify",
            verify_code=code,
            handed=handed,
            response=data if code == 10 else b"",
        )
        for code in _CODES
    ]
    sources = Sources(asker=_Told(*told), issuers=load_issuers(), logs=known_logs())
    report = asyncio.run(
        audit_host(AuditTarget(_HOST, Endpoint(_HOST)), sources, clock=lambda: _AT)
    )
    words = [each.message for each in report.found]
    words += [each.message for each in report.passed]
    words += [each.why for each in report.not_checked]
    assert all(each.isprintable() for each in words), words
    json.dumps(audit_json(report))


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    run(check, make)
