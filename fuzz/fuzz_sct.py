"""Fuzzes SCT lists and OCSP responses: a result or one of our errors, and never a pass.

`fuzz/target.py` says how it runs.
"""

import random
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from target import damaged, run

from pinwarden.ct.log import LogList
from pinwarden.ct.ocsp import OCSPStatus, evaluate_ocsp, scts_of_ocsp
from pinwarden.ct.ocsp.response import parse_response
from pinwarden.ct.presented import PresentedSCT, SCTStatus, collect_scts, judge_scts
from pinwarden.ct.sct import SCTSource, parse_sct, parse_sct_list
from pinwarden.ct.sct_findings import findings_of_scts
from pinwarden.errors import MalformedError, PinwardenError
from pinwarden.lab import asn1
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import logged_tbs

CA_ = CA("Fuzz")
LOGS = (LabLog("one"), LabLog("two"))
ISSUED = CA_.issue(["www.example.com"], logs=LOGS)
LEAF, ABOVE = view_certificate(ISSUED.certificate), view_certificate(CA_.intermediate)
SCT = LOGS[0].add_chain(ISSUED.certificate_chain)
LIST = (len(SCT) + 2).to_bytes(2, "big") + len(SCT).to_bytes(2, "big") + SCT
KNOWN = LogList(logs=tuple(each.description() for each in LOGS))
NOW = datetime.now(UTC)


def _ocsp() -> bytes:
    """A response about the certificate, with the list in it and a signature of nobody."""
    serial = LEAF.serial.to_bytes(LEAF.serial.bit_length() // 8 + 1, "big")
    hashed = asn1.element(asn1.OCTET_STRING, bytes(20))
    # An unknown hash algorithm: the name is not compared.
    algorithm = asn1.sequence(asn1.oid("1.2.3"))
    time = asn1.element(asn1.GENERALIZED_TIME, b"20261124000000Z")
    value = asn1.element(asn1.OCTET_STRING, LIST)
    single = asn1.sequence(
        asn1.sequence(algorithm, hashed, hashed, asn1.element(asn1.INTEGER, serial)),
        asn1.element(0x80),
        time,
        asn1.element(0xA0, time),
        asn1.element(0xA1, asn1.sequence(asn1.extension("1.3.6.1.4.1.11129.2.4.5", value))),
    )
    data = asn1.sequence(asn1.element(0xA2, hashed), time, asn1.sequence(single))
    signature = asn1.sequence(asn1.oid("1.2.3")), asn1.element(asn1.BIT_STRING, b"\0")
    basic = asn1.element(asn1.OCTET_STRING, asn1.sequence(data, *signature))
    body = asn1.sequence(asn1.oid("1.3.6.1.5.5.7.48.1.1"), basic)
    return asn1.sequence(asn1.element(0x0A, b"\0"), asn1.element(0xA0, body))


def _signed() -> bytes:
    """A response that its issuer signed."""
    issuer = x509.load_der_x509_certificate(CA_.intermediate)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=x509.load_der_x509_certificate(ISSUED.certificate),
        issuer=issuer,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.REVOKED,
        this_update=NOW,
        next_update=NOW + timedelta(days=4),
        revocation_time=NOW,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer).certificates([issuer])
    return builder.sign(CA_.key, hashes.SHA256()).public_bytes(Encoding.DER)


OCSP, SIGNED = _ocsp(), _signed()
SEEDS = (LIST, SCT, OCSP, SIGNED, ISSUED.certificate)


def check(data: bytes) -> None:
    for read in (parse_sct, parse_sct_list):
        words = ""
        try:
            read(data)
        except PinwardenError as error:
            words = str(error)
        assert words.isprintable(), words
    assert scts_of_ocsp(data, LEAF)[1].isprintable()
    answer = evaluate_ocsp(data, LEAF, ABOVE, NOW)
    assert answer.problem.isprintable()
    if answer.status is not None:
        basic = parse_response(data)
        assert basic.data[basic.signed.header_start : basic.signed.end] in SIGNED
    _judged(data)
    try:
        changed = view_certificate(data)
    except MalformedError:
        return
    presented, problems = collect_scts(changed)
    assert all(each.isprintable() for each in problems), problems
    for each in judge_scts(changed, ABOVE, presented, KNOWN, NOW):
        if each.status is SCTStatus.VALID:
            assert each.raw in ISSUED.certificate
            assert logged_tbs(changed.tbs) == ISSUED.tbs


def _judged(data: bytes) -> None:
    beside, problems = collect_scts(LEAF, data, data)
    assert all(each.isprintable() for each in problems), problems
    own, _ = collect_scts(LEAF)
    presented = (*beside, *(PresentedSCT(source, data) for source in SCTSource))
    judged = judge_scts(LEAF, ABOVE, presented, KNOWN, NOW)
    genuine = {each.raw for each in own} | {SCT}
    for each in judged:
        assert each.reason.isprintable(), each.reason
        assert each.status is not SCTStatus.VALID or each.raw in genuine, each
    for finding in findings_of_scts(judged, "a", problems):
        assert finding.message.isprintable(), finding


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    assert scts_of_ocsp(OCSP, LEAF) == (LIST, "")
    assert evaluate_ocsp(SIGNED, LEAF, ABOVE, NOW).status is OCSPStatus.REVOKED
    run(check, make)
