"""How the lab's certificates look: names, extensions and keys, by the `cryptography` library."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TypedDict

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Wish(TypedDict, total=False):
    """What may be asked of a certificate besides its DNS names.

    Without `cn` the first name is the common name, and an empty one leaves it out.
    """

    ips: Sequence[str]
    emails: Sequence[str]
    uris: Sequence[str]
    cn: str
    organization: str
    days: int
    not_before: datetime
    serial: int


def new_key(kind: str = "ec") -> PrivateKey:
    """A new private key: `ec` is P-256, `rsa` has 2048 bits."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey) -> bytes:
    """A private key as an unencrypted PKCS #8 PEM file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def pem(certificates: Sequence[bytes]) -> bytes:
    """DER certificates as one PEM file, in this order."""
    return b"".join(
        x509.load_der_x509_certificate(each).public_bytes(serialization.Encoding.PEM)
        for each in certificates
    )


def spki_of(key: PrivateKey) -> bytes:
    """The DER SubjectPublicKeyInfo of a key."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def leaf_extensions(
    key: PrivateKey, issuer_key: PrivateKey, san: x509.SubjectAlternativeName
) -> list[tuple[x509.ExtensionType, bool]]:
    """The nine extensions of a domain validated certificate, with what is critical."""
    host = "lab.invalid"
    ca_issuers = x509.UniformResourceIdentifier(f"http://i.{host}/e1.der")
    ocsp = x509.UniformResourceIdentifier(f"http://o.{host}/")
    crl = x509.UniformResourceIdentifier(f"http://c.{host}/e1/41.crl")
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    domain_validated = x509.ObjectIdentifier("2.23.140.1.2.1")
    return [
        (_key_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage(usages), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
        (
            x509.AuthorityInformationAccess(
                [
                    x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp),
                    x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, ca_issuers),
                ]
            ),
            False,
        ),
        (san, False),
        (x509.CertificatePolicies([x509.PolicyInformation(domain_validated, None)]), False),
        (
            x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]),
            False,
        ),
    ]


def authority_name(organization: str, common_name: str) -> x509.Name:
    """The name of an authority."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def subject(common_name: str | None, organization: str | None) -> x509.Name:
    """The name of a subscriber; with an organization, as organization validation gives it."""
    attributes = []
    if organization is not None:
        attributes = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "California"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "San Francisco"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        ]
    # RFC 5280 appendix A: ub-common-name is 64; longer names live in the SAN alone.
    if common_name and len(common_name) <= 64:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def san(names: Sequence[str], wish: Wish) -> x509.SubjectAlternativeName:
    """The alternative names of a subscriber."""
    return x509.SubjectAlternativeName(
        [
            *(x509.DNSName(each) for each in names),
            *(x509.IPAddress(ip_address(each)) for each in wish.get("ips", ())),
            *(x509.RFC822Name(each) for each in wish.get("emails", ())),
            *(x509.UniformResourceIdentifier(each) for each in wish.get("uris", ())),
        ]
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def ca_certificate(
    subject: x509.Name,
    key: PrivateKey,
    issuer: x509.Name,
    issuer_key: PrivateKey,
    *,
    born: datetime,
    path_length: int | None,
    usages: Sequence[x509.ObjectIdentifier] = (),
) -> bytes:
    """The certificate of an authority, valid for ten years."""
    public_key = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(born)
        .not_valid_after(born + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER)
