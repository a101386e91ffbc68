"""Key identifiers of certificates, well formed and otherwise."""

from __future__ import annotations

import pytest

from pinwarden.errors import MalformedError
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import CertificateView, view_certificate
from pinwarden.x509.key_ids import (
    AUTHORITY_KEY_ID,
    SUBJECT_KEY_ID,
    authority_key_id,
    subject_key_id,
)
from x509.der_writer import Certificate, extension


def with_extension(oid: str, value: bytes) -> CertificateView:
    return view_certificate(Certificate(extensions=(extension(oid, value),)).der())


def test_a_leaf_points_at_its_issuer() -> None:
    """The authority's key identifier is the subject key identifier of the CA."""
    ca = CA("Some CA")
    leaf = view_certificate(ca.issue(["www.example.org"]).certificate)
    assert authority_key_id(leaf) == subject_key_id(view_certificate(ca.chain[0])) is not None


def test_there_may_be_none() -> None:
    """Old certificates have none, and the authority's may name issuer and serial only."""
    bare = view_certificate(Certificate(extensions=()).der())
    assert authority_key_id(bare) is None
    assert subject_key_id(bare) is None
    assert authority_key_id(with_extension(AUTHORITY_KEY_ID, b"\x30\x03\x82\x01\x07")) is None
    assert authority_key_id(with_extension(AUTHORITY_KEY_ID, b"\x30\x02\x80\x00")) is None


@pytest.mark.parametrize("value", [b"", b"\x04\x01a", b"\x30\x05\x80\x01a", b"\x30\x02\x80"])
def test_what_cannot_be_read_is_an_error(value: bytes) -> None:
    """And not an absence."""
    with pytest.raises(MalformedError, match="authority key identifier"):
        authority_key_id(with_extension(AUTHORITY_KEY_ID, value))


@pytest.mark.parametrize("value", [b"", b"\x30\x01a", b"\x04\x05a"])
def test_an_unreadable_subject_key_identifier_is_an_error(value: bytes) -> None:
    """And not an absence."""
    with pytest.raises(MalformedError, match="subject key identifier"):
        subject_key_id(with_extension(SUBJECT_KEY_ID, value))
