"""The lab's certificates are what they say, by OpenSSL and by `cryptography`."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.verification import PolicyBuilder, Store

from pinwarden.lab.ca import CA, Issued, key_pem, new_key, pem
from pinwarden.lab.log import LabLog


def load(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def without(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [each.oid.dotted_string for each in certificate.extensions if each.oid != oid]


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA()


@pytest.fixture(scope="module")
def issued(ca: CA) -> Issued:
    log = LabLog("a")
    return ca.issue(
        ["shop.example.com", "*.example.org"],
        ips=["192.0.2.7", "2001:db8::7"],
        emails=["root@example.com"],
        uris=["https://example.com/x"],
        organization="Example, Inc.",
        logs=[log],
    )


def test_a_certificate_has_the_names_that_were_asked_for(issued: Issued) -> None:
    """Every kind of alternative name, and the first DNS name as common name, must be there."""
    certificate = load(issued.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.example.com", "*.example.org"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == [
        "192.0.2.7",
        "2001:db8::7",
    ]
    assert names.get_values_for_type(x509.RFC822Name) == ["root@example.com"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["https://example.com/x"]
    assert certificate.subject.rfc4514_string().startswith("CN=shop.example.com,O=Example\\, Inc.")
    assert len(certificate.extensions) == 10


def test_without_a_common_name_the_subject_is_empty(ca: CA) -> None:
    """An empty common name must leave the attribute out."""
    assert load(ca.issue(["a.example"], cn="").certificate).subject == x509.Name([])


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_chain_verifies(kind: str) -> None:
    """`cryptography`'s own path validation must accept what the CA issues."""
    ca = CA(key_kind=kind)
    issued = ca.issue(["shop.example.com"])
    verifier = (
        PolicyBuilder()
        .store(Store([load(ca.root)]))
        .build_server_verifier(x509.DNSName("shop.example.com"))
    )
    chain = verifier.verify(load(issued.certificate), [load(ca.intermediate)])
    assert [each.public_bytes(Encoding.DER) for each in chain] == [issued.certificate, *ca.chain]


def test_precertificate_and_certificate_differ_in_poison_and_scts_alone(issued: Issued) -> None:
    """Poison and SCT list apart, both halves of an issuance must be the same."""
    certificate, precertificate = load(issued.certificate), load(issued.precertificate)
    poison = precertificate.extensions.get_extension_for_class(x509.PrecertPoison)
    assert poison.critical
    scts = ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS
    assert without(certificate, scts) == without(precertificate, x509.PrecertPoison.oid)
    assert certificate.tbs_precertificate_bytes == issued.tbs
    assert certificate.serial_number == precertificate.serial_number


def test_the_issuer_key_hash_is_that_of_the_intermediate(ca: CA, issued: Issued) -> None:
    """It must be the SHA-256 of the intermediate's SubjectPublicKeyInfo."""
    key = load(ca.intermediate).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert issued.issuer_key_hash == sha256(spki).digest()


def test_a_precertificate_signing_certificate_signs_in_its_own_name(ca: CA) -> None:
    """The precertificate must name the signer, what is promised the final issuer."""
    promised = ca.precertify(["a.example"], by_precert_signer=True)
    precertificate, signer = load(promised.der), load(promised.chain[0])
    precertificate.verify_directly_issued_by(signer)
    signer.verify_directly_issued_by(load(ca.intermediate))
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in usage] == ["1.3.6.1.4.1.11129.2.4.4"]
    authority = precertificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    subject = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert authority.value.key_identifier == subject.value.digest
    certificate = load(ca.complete(promised).certificate)
    certificate.verify_directly_issued_by(load(ca.intermediate))
    assert certificate.tbs_certificate_bytes == promised.tbs


def test_a_key_can_be_used_again(ca: CA) -> None:
    """A renewal with the same key must have the same public key."""
    key = new_key()
    one, two = (load(ca.issue(["a.example"], key=key).certificate) for _ in range(2))
    assert one.public_key() == two.public_key()
    assert one.serial_number != two.serial_number


def test_openssl_agrees(ca: CA, issued: Issued, tmp_path: Path) -> None:
    """OpenSSL must verify the chain and find key and certificate to belong together."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    root, chain, leaf, key = (tmp_path / name for name in ("root", "chain", "leaf", "key"))
    root.write_bytes(pem([ca.root]))
    chain.write_bytes(pem([ca.intermediate]))
    leaf.write_bytes(pem([issued.certificate]))
    key.write_bytes(key_pem(issued.private_key))
    verified = subprocess.run(
        [openssl, "verify", "-CAfile", root, "-untrusted", chain, leaf],
        capture_output=True,
        text=True,
        check=True,
    )
    assert verified.stdout.endswith(": OK\n")
    shown = subprocess.run(
        [openssl, "x509", "-in", leaf, "-noout", "-ext", "ct_precert_scts", "-pubkey"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Signed Certificate Timestamp" in shown
    public = subprocess.run(
        [openssl, "pkey", "-in", key, "-pubout"], capture_output=True, text=True, check=True
    ).stdout
    assert public in shown
