"""Hostile certificates are signed like honest ones, and hide what they say they hide."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning

from pinwarden.lab import asn1
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificate, hostile_certificates, slugs
from pinwarden.lab.log import LabLog

NAME = "shop.example.com"


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA()


@pytest.mark.parametrize("slug", slugs())
def test_every_case_is_properly_signed(ca: CA, slug: str) -> None:
    """The intermediate's signature must cover the odd bytes, in both halves."""
    case = hostile_certificate(ca, NAME, slug)
    key = x509.load_der_x509_certificate(ca.intermediate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    for der in (case.issued.certificate, case.issued.precertificate):
        tbs, _, signature = asn1.children(der)
        key.verify(asn1.contents(signature)[1:], tbs, ec.ECDSA(hashes.SHA256()))


def test_the_poison_is_all_that_tells_the_halves_apart(ca: CA) -> None:
    """Removing the poison from the precertificate must give what was promised."""
    for case in hostile_certificates(ca, NAME):
        precertificate = asn1.children(case.issued.precertificate)[0]
        assert asn1.without_extension(precertificate, asn1.POISON_OID) == case.issued.tbs
        assert asn1.children(case.issued.certificate)[0] == case.issued.tbs


def test_a_naive_reader_is_fooled(ca: CA) -> None:
    """Most cases must hide the name from a reader that takes the alternative names at once."""
    fooled = set()
    for case in hostile_certificates(ca, NAME):
        try:
            certificate = x509.load_der_x509_certificate(case.issued.certificate)
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names = found.value.get_values_for_type(x509.DNSName)
        except (ValueError, x509.DuplicateExtension, CryptographyDeprecationWarning):
            fooled.add(case.slug)
        else:
            if NAME not in names:
                fooled.add(case.slug)
    assert len(fooled) > 40
    assert set(slugs()) - fooled <= {
        "many-names",
        "other-name-first",
        "long-serial",
        "unique-identifiers",
    }


def test_slugs_name_one_case_each() -> None:
    """No two cases may share a name."""
    assert len(set(slugs())) == len(slugs()) > 45


def test_a_log_takes_every_case(ca: CA) -> None:
    """Both halves of each case must go into a log as they are."""
    log = LabLog("a")
    for case in hostile_certificates(ca, NAME):
        precertificate, certificate = log.add_issued(case.issued)
        assert case.issued.tbs in log.leaf(precertificate)
        assert case.issued.certificate in log.leaf(certificate)


def test_a_log_takes_every_case_as_a_submission(ca: CA) -> None:
    """A log that is shown the precertificate must enter what the CA promised."""
    log = LabLog("a")
    for number, case in enumerate(hostile_certificates(ca, NAME)):
        log.add_pre_chain(case.issued.precertificate_chain)
        assert log.leaf(number)[47:-2] == case.issued.tbs
