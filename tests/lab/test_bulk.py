"""Bulk entries look like those of the world, and each is a whole certificate."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.ct.leaf import EntryType
from pinwarden.lab import asn1
from pinwarden.lab.bulk import Bulk, fill, take
from pinwarden.lab.log import LabLog
from support import oracle

from .conftest import BOTH, NOW


@pytest.fixture(scope="module")
def entries() -> list[Bulk]:
    return take(600, seed=7)


def certificate_of(entry: Bulk) -> bytes:
    return entry.signed if entry.precertificate is None else entry.precertificate


def test_every_entry_is_a_certificate_that_can_be_read(entries: list[Bulk]) -> None:
    """`cryptography` must read names, key and about ten extensions, and find the issuer."""
    for entry in entries:
        certificate = x509.load_der_x509_certificate(certificate_of(entry))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = names.get_values_for_type(x509.DNSName)
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        assert 1 <= len(dns) <= 3
        assert all(str(common) in name for name in dns)
        assert 10 <= len(certificate.extensions) <= 11
        key = certificate.public_key()
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert found == x509.SubjectKeyIdentifier.from_public_key(key)
        issuer = x509.load_der_x509_certificate(entry.issuers[0])
        assert certificate.issuer == issuer.subject
        if entry.issuer_key_hash is not None:
            spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            assert entry.issuer_key_hash == sha256(spki).digest()


def test_a_logged_tbs_is_the_precertificate_without_poison(entries: list[Bulk]) -> None:
    """Both bytes of one precertificate entry must be of one certificate."""
    for entry in entries:
        if entry.precertificate is not None:
            tbs = asn1.children(entry.precertificate)[0]
            assert asn1.without_extension(tbs, asn1.POISON_OID) == entry.signed


def test_certificates_follow_their_precertificates(entries: list[Bulk]) -> None:
    """Every certificate must be the second half of an issuance entered before."""
    promised = set()
    for entry in entries:
        if entry.type is EntryType.PRECERT:
            promised.add(entry.signed)
        else:
            certificate = x509.load_der_x509_certificate(entry.signed)
            assert certificate.tbs_precertificate_bytes in promised


def test_the_mixture(entries: list[Bulk]) -> None:
    """About 60 percent must be precertificates, of usual size, and no issuance twice."""
    kinds = Counter(entry.type for entry in entries)
    assert 0.5 < kinds[EntryType.PRECERT] / len(entries) < 0.7
    sizes = sorted(len(e.signed) for e in entries if e.type is EntryType.PRECERT)
    assert sizes[0] > 700
    assert 900 < sizes[len(sizes) // 2] < 1600
    serials = [
        x509.load_der_x509_certificate(e.precertificate).serial_number
        for e in entries
        if e.precertificate is not None
    ]
    assert len(set(serials)) == len(serials)


def test_the_same_seed_makes_the_same_names() -> None:
    """Names and serial numbers must be reproducible."""

    def seen(seed: int) -> list[tuple[int, str]]:
        loaded = [x509.load_der_x509_certificate(certificate_of(e)) for e in take(20, seed)]
        return [(each.serial_number, each.subject.rfc4514_string()) for each in loaded]

    assert seen(3) == seen(3) != seen(4)


def test_a_log_filled_in_bulk_is_honest() -> None:
    """Root, timestamps, leaf indexes and planted names must be as promised."""
    log = LabLog("a", kinds=BOTH)
    planted = fill(log, 700, seed=2, plant=["one.example", "two.example"], at=NOW, step_ms=10)
    assert planted == {"one.example": 233, "two.example": 466}
    leaves = [log.leaf(index) for index in range(log.size)]
    assert log.published.root == oracle.tree_hash(leaves)
    for name, index in planted.items():
        assert name.encode() in leaves[index]
    last = int(NOW.timestamp() * 1000)
    assert [int.from_bytes(each[2:10], "big") for each in leaves] == [
        last - 10 * (len(leaves) - 1 - number) for number in range(len(leaves))
    ]
    assert [int.from_bytes(each[-5:], "big") for each in leaves] == list(range(700))
    more = fill(log, 10, plant=["three.example"])
    assert more == {"three.example": 705}
    assert b"three.example" in log.leaf(705)
