"""The SCTs in OCSP responses, which need no signature but that of their logs."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.ocsp import LARGEST_OCSP, scts_of_ocsp
from pinwarden.lab import asn1
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import view_certificate
from support.ocsp_answers import SCTS_IN_OCSP, Status, encoded_list, ocsp_answer, refusal

ISSUER = CA("OCSP CA")
CERTIFICATE = ISSUER.issue(["www.example.com"]).certificate
LEAF = view_certificate(CERTIFICATE)
AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
LIST = encoded_list([b"one", b"two"])
ANSWER = ocsp_answer(ISSUER, CERTIFICATE, sct_list=LIST, at=AT)


def test_sct_list_is_read() -> None:
    """The list is inside two OCTET STRINGs, as in a certificate (RFC 6962 section 3.3)."""
    assert scts_of_ocsp(ANSWER, LEAF) == (LIST, "")


@pytest.mark.parametrize("status", get_args(Status))
def test_response_without_scts_is_no_problem(status: Status) -> None:
    """Good, revoked and unknown, with neither SCTs nor an end."""
    response = ocsp_answer(ISSUER, CERTIFICATE, status=status, lifetime=None)
    assert scts_of_ocsp(response, LEAF) == (None, "")


def test_answer_about_another_certificate_is_none() -> None:
    """A server that staples the response of the certificate before says nothing of this one."""
    response = ocsp_answer(ISSUER, CERTIFICATE, serial=1, sct_list=LIST)
    assert scts_of_ocsp(response, LEAF) == (None, "OCSP response: is about another certificate")


def test_answer_of_another_issuer_is_none() -> None:
    """A serial number means something only beside the issuer's name."""
    found, problem = scts_of_ocsp(ocsp_answer(CA("Other CA"), CERTIFICATE, sct_list=LIST), LEAF)
    assert found is None
    assert problem == "OCSP response: is about a certificate of another issuer"


@pytest.mark.parametrize(
    ("code", "words"),
    [(1, "malformed request"), (3, "try later"), (6, "unauthorised"), (77, "status 77")],
)
def test_refusal_says_why(code: int, words: str) -> None:
    """A response without an answer (RFC 6960 section 4.2.1)."""
    assert scts_of_ocsp(refusal(code), LEAF) == (None, f"OCSP response: is a refusal: {words}")


@pytest.mark.parametrize(
    "list_",
    [
        pytest.param(b"\x04\x82", id="cut off"),
        pytest.param(asn1.element(asn1.OCTET_STRING, LIST) + b"\0", id="bytes after it"),
        pytest.param(asn1.sequence(LIST), id="no OCTET STRING"),
    ],
)
def test_list_in_another_form_is_a_problem(list_: bytes) -> None:
    """The SCTs are lost, and that is said."""
    good = asn1.element(asn1.OCTET_STRING, LIST)
    extension = asn1.extension(SCTS_IN_OCSP, good)
    odd = asn1.extension(SCTS_IN_OCSP, list_)
    found, problem = scts_of_ocsp(_rewrapped(extension, odd), LEAF)
    assert found is None
    assert problem.startswith("OCSP response: SCT list: ")


def test_two_lists_are_a_problem() -> None:
    """Which of them would count is not for us to choose."""
    extension = asn1.extension(SCTS_IN_OCSP, asn1.element(asn1.OCTET_STRING, LIST))
    response = _rewrapped(extension, extension + extension)
    assert scts_of_ocsp(response, LEAF) == (None, "OCSP response: SCT list: occurs twice")


def _rewrapped(old: bytes, new: bytes) -> bytes:
    """The answer with other bytes in it, and all the lengths around them written anew."""

    def rebuilt(data: bytes) -> bytes:
        if data == old:
            return new
        if old not in data:
            return data
        content = asn1.contents(data)
        if data[0] == asn1.OCTET_STRING:
            return asn1.element(asn1.OCTET_STRING, rebuilt(content))
        return asn1.element(data[0], b"".join(map(rebuilt, asn1.children(data))))

    return rebuilt(ANSWER)


def test_huge_response_is_not_read() -> None:
    """A server may send a megabyte of staple; nobody needs to look at it."""
    assert "larger than" in scts_of_ocsp(bytes(LARGEST_OCSP + 1), LEAF)[1]


@given(st.binary(max_size=300))
def test_anything_is_an_answer(data: bytes) -> None:
    """Bytes from outside give a problem, and never an error."""
    found, problem = scts_of_ocsp(data, LEAF)
    assert found is None
    assert problem
    assert problem.isprintable()


@given(st.integers(0, len(ANSWER) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_damaged_response_is_an_answer(at: int, put: bytes, drop: int) -> None:
    """Whatever octets are changed, the outcome is a list, or a line that shows."""
    _, problem = scts_of_ocsp(ANSWER[:at] + put + ANSWER[at + drop :], LEAF)
    assert problem.isprintable()
