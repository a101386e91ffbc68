"""What an OCSP response says counts if it is signed by one who may, and is of now."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.ocsp import OCSPAnswer, OCSPStatus, evaluate_ocsp
from pinwarden.lab.ca import CA, PrivateKey
from pinwarden.x509.certificate import view_certificate
from support.ocsp_answers import Status, ocsp_answer, refusal

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
DAY = timedelta(days=1)
CA_HERE = CA("OCSP CA", at=AT)
CERTIFICATE = CA_HERE.issue(["www.example.com"]).certificate
LEAF, ISSUER = view_certificate(CERTIFICATE), view_certificate(CA_HERE.intermediate)
RESPONSE = ocsp_answer(CA_HERE, CERTIFICATE, at=AT)
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
}


def _evaluate(response: bytes, at: datetime = AT) -> OCSPAnswer:
    return evaluate_ocsp(response, LEAF, ISSUER, at)


def _loaded(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _response(
    responder: x509.Certificate,
    key: PrivateKey,
    *,
    digest: str = "sha1",
    certificates: tuple[x509.Certificate, ...] = (),
    by: ocsp.OCSPResponderEncoding = ocsp.OCSPResponderEncoding.HASH,
    issuer: x509.Certificate | None = None,
    next_update: datetime | None = AT + DAY,
) -> bytes:
    """A response as the `cryptography` library writes it, with status good."""
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=_loaded(CERTIFICATE),
            issuer=issuer or _loaded(CA_HERE.intermediate),
            algorithm=_HASHES[digest],
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=AT - DAY,
            next_update=next_update,
            revocation_time=None,
            revocation_reason=None,
        )
        .responder_id(by, responder)
    )
    if certificates:
        builder = builder.certificates(certificates)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _delegate(
    *,
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    ca: CA = CA_HERE,
    born: datetime = AT - DAY,
) -> tuple[x509.Certificate, PrivateKey]:
    """A responder's certificate of its own (RFC 6960 section 4.2.2.2)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Responder")]))
        .issuer_name(_loaded(ca.intermediate).subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(born)
        .not_valid_after(born + 30 * DAY)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(ca.key, hashes.SHA256()), key


@pytest.mark.parametrize("status", get_args(Status))
def test_status_of_the_issuer_itself_counts(status: Status) -> None:
    """Good, revoked and unknown, with the times that go with them."""
    answer = _evaluate(ocsp_answer(CA_HERE, CERTIFICATE, status=status, at=AT))
    assert (answer.status, answer.problem) == (status, "")
    assert (answer.this_update, answer.next_update) == (AT, AT + 4 * DAY)
    assert answer.revoked_at == (AT - DAY if status == "revoked" else None)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("digest", _HASHES)
@pytest.mark.parametrize("by", list(ocsp.OCSPResponderEncoding), ids=lambda each: each.name)
def test_forms_of_names_and_keys(kind: str, digest: str, by: ocsp.OCSPResponderEncoding) -> None:
    """The responder by name or key, the certificate by any digest, either kind of key."""
    ca = CA(f"Other {kind}", at=AT, key_kind=kind)
    leaf = ca.issue(["www.example.com"]).certificate
    issuer = _loaded(ca.intermediate)
    made = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=_loaded(leaf),
            issuer=issuer,
            algorithm=_HASHES[digest],
            cert_status=ocsp.OCSPCertStatus.REVOKED,
            this_update=AT,
            next_update=AT + DAY,
            revocation_time=AT - DAY,
            revocation_reason=x509.ReasonFlags.key_compromise,
        )
        .responder_id(by, issuer)
        .sign(ca.key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    answer = evaluate_ocsp(made, view_certificate(leaf), view_certificate(ca.intermediate), AT)
    assert (answer.status, answer.problem) == (OCSPStatus.REVOKED, "")


def test_delegated_responder_counts() -> None:
    """Its certificate comes in the response, from the issuer and for this purpose."""
    certificate, key = _delegate()
    answer = _evaluate(_response(certificate, key, certificates=(certificate,)))
    assert (answer.status, answer.problem) == (OCSPStatus.GOOD, "")


@pytest.mark.parametrize(
    ("delegate", "why"),
    [
        pytest.param(lambda: _delegate(usages=()), "not for signing OCSP", id="no usage"),
        pytest.param(
            lambda: _delegate(usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
            "not for signing OCSP",
            id="a server's certificate",
        ),
        pytest.param(
            lambda: _delegate(usages=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
            "not for signing OCSP",
            id="any usage",
        ),
        pytest.param(
            lambda: _delegate(ca=CA("Another CA", at=AT)), "not by the issuer", id="other CA"
        ),
        pytest.param(
            lambda: _delegate(ca=CA("OCSP CA", at=AT)), "not by the issuer", id="name alone"
        ),
        pytest.param(lambda: _delegate(born=AT - 60 * DAY), "out of date", id="expired"),
        pytest.param(lambda: _delegate(born=AT + DAY), "out of date", id="not yet valid"),
    ],
)
def test_responder_that_may_not_speak_counts_for_nothing(
    delegate: Callable[[], tuple[x509.Certificate, PrivateKey]], why: str
) -> None:
    """Any certificate of the issuer would do otherwise: that of the attacker's own server."""
    certificate, key = delegate()
    answer = _evaluate(_response(certificate, key, certificates=(certificate,)))
    assert answer.status is None
    assert why in answer.problem


def test_responder_without_its_certificate_counts_for_nothing() -> None:
    """Nobody here fetches it."""
    certificate, key = _delegate()
    answer = _evaluate(_response(certificate, key))
    assert answer.status is None
    assert "neither the issuer nor comes with a certificate" in answer.problem


def test_answer_for_another_key_of_the_issuer_counts_for_nothing() -> None:
    """Serial number and name are the same; the hash of the key is not (RFC 6960 4.1.1)."""
    twin = CA("OCSP CA", at=AT)
    response = _response(
        _loaded(CA_HERE.intermediate), CA_HERE.key, issuer=_loaded(twin.intermediate)
    )
    answer = _evaluate(response)
    assert answer.status is None
    assert answer.problem == "OCSP response: is about a certificate of another key of the issuer"


def test_signature_by_another_key_counts_for_nothing() -> None:
    """All else is the issuer's: whoever has its name does not have its key."""
    forger = CA("OCSP CA", at=AT)
    by_name = ocsp.OCSPResponderEncoding.NAME
    answer = _evaluate(_response(_loaded(forger.intermediate), forger.key, by=by_name))
    assert (answer.status, answer.problem) == (
        None,
        "OCSP response: its responder did not sign it",
    )


def test_nothing_counts_without_the_issuer() -> None:
    """The chain lacks it, and then nobody vouches."""
    answer = evaluate_ocsp(RESPONSE, LEAF, None, AT)
    assert answer.status is None
    assert "without the certificate of the issuer" in answer.problem


@pytest.mark.parametrize(
    ("after", "counts", "why"),
    [
        (timedelta(minutes=-4), True, ""),
        (timedelta(minutes=-6), False, "after the time of this check"),
        (4 * DAY, True, ""),
        (4 * DAY + timedelta(seconds=1), False, "out of date since 2026-11-28 08:00Z"),
    ],
    ids=["clocks differ", "future", "last second", "a second late"],
)
def test_response_is_of_its_time(after: timedelta, counts: bool, why: str) -> None:
    """From thisUpdate to nextUpdate (RFC 6960 section 4.2.2.1), and a little before."""
    answer = _evaluate(RESPONSE, AT + after)
    assert answer.status == (OCSPStatus.GOOD if counts else None)
    assert why in answer.problem
    assert bool(answer.problem) is not counts
    assert answer.this_update == AT


def test_revoked_stays_revoked() -> None:
    """An old response is no news of a good certificate; a revoked one is never good again."""
    response = ocsp_answer(CA_HERE, CERTIFICATE, status="revoked", at=AT)
    late, early = _evaluate(response, AT + 30 * DAY), _evaluate(response, AT - 30 * DAY)
    assert late.status is OCSPStatus.REVOKED
    assert "out of date" in late.problem
    assert early.status is None


@pytest.mark.parametrize(("age", "counts"), [(9 * DAY, True), (11 * DAY, False)])
def test_response_without_end_does_not_last(age: timedelta, counts: bool) -> None:
    """Without nextUpdate it counts for as long as any response of the web may."""
    response = _response(_loaded(CA_HERE.intermediate), CA_HERE.key, next_update=None)
    answer = _evaluate(response, AT - DAY + age)
    assert answer.status == (OCSPStatus.GOOD if counts else None)


def test_refusal_says_nothing() -> None:
    """A refusal is not signed."""
    assert _evaluate(refusal()) == OCSPAnswer(problem="OCSP response: is a refusal: unauthorised")


@given(st.integers(0, 8 * len(RESPONSE) - 1))
def test_flipped_bit_never_makes_another_status(bit: int) -> None:
    """One that is not under the signature, such as the form of a length, changes nothing."""
    damaged = bytearray(RESPONSE)
    damaged[bit // 8] ^= 1 << bit % 8
    answer = _evaluate(bytes(damaged))
    assert answer.status is None
    assert answer.problem.isprintable()


@given(st.binary(max_size=300))
def test_anything_is_an_answer(data: bytes) -> None:
    """Bytes from outside give an answer with a problem, and never an error."""
    answer = _evaluate(data)
    assert answer.status is None
    assert answer.problem.isprintable()
