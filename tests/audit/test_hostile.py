"""Whatever is served, an audit comes to a report that can be shown."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64decode
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pinwarden.audit.facts import CTFacts
from pinwarden.audit.gather import AuditTarget, Gatherer, Sources
from pinwarden.audit.rendering.machine import audit_json
from pinwarden.audit.report import Area, AuditReport
from pinwarden.audit.reporting import report_of
from pinwarden.caa.issuers.map import load_issuers
from pinwarden.ct.known_logs import known_logs
from pinwarden.lab.hostile import hostile_certificates
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, HandedOver, ServedAddress
from support.audit_world import HOST, Told, audit_world, report_on

_CODES = (2, 9, 10, 18, 19, 20, 21, 23, 24, 26, 62, 64, 66, None)

_GOOD = audit_world().chain().certificates


def _presentable(report: AuditReport) -> None:
    """Every word of the lists is one line, and the report is JSON."""
    words = [each.message for each in report.found]
    words += [each.message for each in report.passed]
    words += [each.why for each in report.not_checked]
    assert [each for each in words if not each.isprintable()] == []
    json.dumps(audit_json(report))
    areas = {each.area for each in report.passed} | {each.area for each in report.not_checked}
    assert areas | {Area.CONNECTION, Area.CHAIN, Area.HEADERS} == set(Area)


@given(
    st.lists(st.binary(max_size=300), max_size=4).map(tuple),
    st.sampled_from(_CODES),
    st.binary(max_size=100),
    st.binary(max_size=100),
    st.binary(max_size=200),
)
def test_octets_of_any_kind_come_to_areport_on(
    sent: tuple[bytes, ...], code: int | None, scts: bytes, ocsp: bytes, head: bytes
) -> None:
    """As a chain, as what is handed over, and as an answer."""
    handed = HandedOver(sct_list=scts, ocsp=ocsp)
    _presentable(
        report_on(
            ServedAddress(
                address="192.0.2.1", port=443, sent=sent, failure=Failure.UNTRUSTED,
                problem="does not verify", verify_code=code, handed=handed, response=head,
            ),
            ServedAddress(address="192.0.2.2", port=443, verified=sent, sent=sent, handed=handed),
        )
    )  # fmt: skip


@given(st.data())
def test_a_certificate_with_octets_changed_comes_to_areport_on(data: st.DataObject) -> None:
    """Most of it can still be read then."""
    chain = _GOOD
    leaf = bytearray(chain[0])
    for _ in range(data.draw(st.integers(1, 4))):
        leaf[data.draw(st.integers(0, len(leaf) - 1))] = data.draw(st.integers(0, 255))
    sent = (bytes(leaf), *chain[1:])
    _presentable(
        report_on(
            ServedAddress(
                address="192.0.2.1", port=443, sent=sent, failure=Failure.UNTRUSTED,
                problem="does not verify", verify_code=data.draw(st.sampled_from(_CODES)),
            )
        )
    )  # fmt: skip


def test_certificates_of_attackers_come_to_areport_on() -> None:
    """With names in every odd encoding that the lab knows."""
    world = audit_world()
    for each in hostile_certificates(world.ca, "audit.example"):
        issued = each.issued
        served = ServedAddress(
            address="192.0.2.1",
            port=443,
            sent=issued.served_chain,
            failure=Failure.UNTRUSTED,
            problem="does not verify",
            verify_code=62,
            anchored=issued.certificate_chain,
        )
        report = report_on(served)
        _presentable(report)
        assert "PW-TLS-WRONG-NAME" in {found.id for found in report.found}


def test_a_header_full_of_controls_is_one_line() -> None:
    """A server answers what it likes."""
    headers = {"Public-Key-Pins": 'report-uri="\u00ad\x7f'}
    world = audit_world()
    with world.dns() as dns, LabTLS(world.chain(), headers=headers) as server:
        report = asyncio.run(world.audit(server.port, dns))
    _presentable(report)
    assert [each.id for each in report.found] == ["PW-HPKP-PRESENT"]


def test_a_certificate_of_thousands_of_names_is_bounded() -> None:
    """In the report, and in what DNS is asked for."""
    world = audit_world()
    chain = Credentials.of(world.issue([HOST, *(f"n{each}.audit.example" for each in range(1500))]))
    with world.dns() as dns, LabTLS(chain) as server:
        report = asyncio.run(world.audit(server.port, dns))
        assert len({each.name for each in dns.queries}) < 300
    _presentable(report)
    assert len(report.chains[0].certificates[0].names) == 100


def test_real_chains_are_audited_with_real_logs(corpus: Path) -> None:
    """SCTs verify and are judged, and the CA is known, for chains as the Web served them."""
    file = corpus / "real-chains" / "limbo_online_2023-2026.jsonl.gz"
    with gzip.open(file, "rt") as lines:
        cases = [json.loads(line) for line in islice(lines, 0, 2000, 4)]
    judged = 0
    for case in cases:
        chain = tuple(map(b64decode, (case["leaf"], *case["chain"])))
        at = datetime.fromisoformat(case["not_before"]) + timedelta(days=3)
        served = ServedAddress(address="192.0.2.1", port=443, verified=chain, sent=chain)
        sources = Sources(asker=Told(served), issuers=load_issuers(), logs=known_logs())
        place = AuditTarget(HOST, Endpoint(HOST))
        facts = asyncio.run(Gatherer(sources).facts(place, at))
        assert facts.shown[0].issuer is not None
        judged += isinstance(facts.shown[0].ct, CTFacts)
        _presentable(report_of(facts))
    assert judged == len(cases) > 10
