"""What a file of certificates and keys holds, and the pin of each: PEM, DER or PKCS#7.

Every pin comes from the bytes of a SubjectPublicKeyInfo as they stand in the file, or,
for a private key, as certificates for it will have them (`private_key`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from pinwarden.errors import ConfigError, MalformedError
from pinwarden.pinning.chain_order import leaf_first
from pinwarden.pinning.pem import PEM_BEGIN, PemBlock, pem_blocks
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pkcs7 import certificates_of_pkcs7
from pinwarden.pinning.private_key import spki_of_private_key
from pinwarden.pinning.sealed_key import open_sealed_key
from pinwarden.pinning.spki import RSA_ENCRYPTION, spki_of_certificate, spki_of_request, strict_spki
from pinwarden.pinning.strict_der import BIT_STRING, INTEGER, OCTET_STRING, OID, SEQUENCE
from pinwarden.x509.certificate import CertificateView, view_certificate
from pinwarden.x509.der import children, encode_tlv, read_tlv
from pinwarden.x509.fields import key_description, name_text

__all__ = [
    "LARGEST_FILE",
    "CertificateRole",
    "KeyKind",
    "KeyMaterial",
    "Passphrase",
    "is_in_order",
    "read_material",
    "role_of",
]

LARGEST_FILE = 4 << 20
"""Octets of a file that is read; a bundle of every public root has a quarter of a megabyte."""

Passphrase = Callable[[str], bytes | None]
"""Asked for the passphrase of a key, which it is told the name of; None if there is none."""


class KeyKind(StrEnum):
    """What a key stands in."""

    CERTIFICATE = "certificate"
    REQUEST = "request"
    PUBLIC_KEY = "public-key"
    PRIVATE_KEY = "private-key"


class CertificateRole(StrEnum):
    """Where in a chain a certificate belongs, by what it says of itself."""

    LEAF = "leaf"
    INTERMEDIATE = "intermediate"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """One key in a file.

    `position` counts from 0 in the order of the file. `der` is the certificate, request
    or public key as it stood in the file, and for a private key its public key: secrets
    are not kept. `certificate` is there for certificates only.
    """

    kind: KeyKind
    position: int
    spki: bytes
    der: bytes
    certificate: CertificateView | None = None

    @property
    def pin(self) -> Pin:
        """The SHA-256 of `spki`."""
        return Pin.of_spki(self.spki)

    @property
    def role(self) -> CertificateRole | None:
        """The role of a certificate; None for anything else."""
        return None if self.certificate is None else role_of(self.certificate)

    @property
    def subject(self) -> str:
        """Whom a certificate or request is for, safe to show; empty if there is no telling."""
        try:
            if self.certificate is not None:
                return self.certificate.subject_text
            return _requested_subject(self.der) if self.kind is KeyKind.REQUEST else ""
        except MalformedError:
            return ""

    @property
    def key_description(self) -> str:
        """The sort of key, such as `ECDSA P-256`; empty if it is not known."""
        try:
            return key_description(self.spki)
        except MalformedError:
            return ""


def read_material(data: bytes, passphrase: Passphrase | None = None) -> list[KeyMaterial]:
    """Every key in a file, a chain of certificates with its leaf first.

    Certificates that do not form one chain keep the order of the file; `is_in_order` says
    whether any were moved. Raises `MalformedError` if there is nothing to pin or anything
    that may be a key cannot be read, and `ConfigError` if a passphrase is missing or wrong.
    """
    if len(data) > LARGEST_FILE:
        raise MalformedError("file: is larger than 4 MiB")
    if not data.strip():
        raise MalformedError("file: is empty")
    found: list[KeyMaterial] = []
    if _is_one_element(data):
        found += _from_der(data, "file", passphrase)
    elif PEM_BEGIN in data:
        for block in pem_blocks(data):
            found += _from_block(block, passphrase)
    else:
        raise MalformedError(
            "file: is neither PEM nor DER",
            hint="a certificate, chain, public key, private key or request is meant",
        )
    if not found:
        raise MalformedError("file: holds no certificate, key or request")
    numbered = [replace(each, position=number) for number, each in enumerate(found)]
    return _leaf_first(numbered)


def _leaf_first(found: list[KeyMaterial]) -> list[KeyMaterial]:
    """Certificates exchanged among themselves; whatever else there is stays where it is."""
    places = [place for place, each in enumerate(found) if each.certificate is not None]
    views = [each.certificate for each in found if each.certificate is not None]
    order = leaf_first(views)
    if order is None:
        return found
    sorted_found = list(found)
    for place, number in zip(places, order, strict=True):
        sorted_found[place] = found[places[number]]
    return sorted_found


def is_in_order(material: Sequence[KeyMaterial]) -> bool:
    """Whether the file had these in this order: if not, servers that use it send a bad chain."""
    return [each.position for each in material] == list(range(len(material)))


def role_of(certificate: CertificateView) -> CertificateRole:
    """Root if it is self-issued and a CA, intermediate if a CA, else leaf.

    A self-issued certificate of version 1 cannot say that it is a CA; trust stores hold
    some, so that it counts as a root.
    """
    self_issued = certificate.is_self_issued
    try:
        is_ca = certificate.is_ca
    except MalformedError:
        is_ca = False
    if self_issued and not certificate.extensions and not certificate.extension_problems:
        return CertificateRole.ROOT
    if is_ca:
        return CertificateRole.ROOT if self_issued else CertificateRole.INTERMEDIATE
    return CertificateRole.LEAF


# Labels that stand beside keys in real files, and hold none.
_PASSED_OVER = frozenset({"EC PARAMETERS", "DH PARAMETERS", "X9.42 DH PARAMETERS", "X509 CRL"})
_REFUSED = {
    "TRUSTED CERTIFICATE": "write it as an ordinary one: openssl x509 -in FILE -out NEW-FILE",
    "OPENSSH PRIVATE KEY": "convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY",
}


def _from_block(block: PemBlock, passphrase: Passphrase | None) -> list[KeyMaterial]:
    if block.label in _PASSED_OVER:
        return []
    if block.label not in _READERS:
        raise MalformedError(
            f"{block.name}: is nothing that can be pinned", hint=_REFUSED.get(block.label)
        )
    try:
        return _READERS[block.label](block.data, block.name, passphrase)
    except MalformedError as error:
        raise MalformedError(f"{block.name}: {error}", hint=error.hint) from None


def _certificate(der: bytes, _who: str = "", _: Passphrase | None = None) -> list[KeyMaterial]:
    spki = spki_of_certificate(der)
    return [KeyMaterial(KeyKind.CERTIFICATE, 0, spki, der, view_certificate(der))]


def _request(der: bytes, _who: str = "", _: Passphrase | None = None) -> list[KeyMaterial]:
    return [KeyMaterial(KeyKind.REQUEST, 0, spki_of_request(der), der)]


def _public_key(der: bytes, _who: str = "", _: Passphrase | None = None) -> list[KeyMaterial]:
    return [KeyMaterial(KeyKind.PUBLIC_KEY, 0, strict_spki(der), der)]


def _rsa_public_key(der: bytes, _who: str = "", _: Passphrase | None = None) -> list[KeyMaterial]:
    return _public_key(encode_tlv(SEQUENCE, RSA_ENCRYPTION + encode_tlv(BIT_STRING, b"\0" + der)))


def _private_key(der: bytes, _who: str = "", _: Passphrase | None = None) -> list[KeyMaterial]:
    spki = spki_of_private_key(der)
    return [KeyMaterial(KeyKind.PRIVATE_KEY, 0, spki, spki)]


def _sealed_key(der: bytes, who: str, passphrase: Passphrase | None) -> list[KeyMaterial]:
    secret = passphrase(who) if passphrase is not None else None
    if secret is None:
        raise ConfigError(f"{who}: is encrypted, and there is no passphrase for it")
    return _private_key(open_sealed_key(der, secret))


def _pkcs7(der: bytes, _who: str = "", _: Passphrase | None = None) -> list[KeyMaterial]:
    return [
        each for certificate in certificates_of_pkcs7(der) for each in _certificate(certificate)
    ]


_Reader = Callable[[bytes, str, Passphrase | None], list[KeyMaterial]]
_READERS: dict[str, _Reader] = {
    "CERTIFICATE": _certificate,
    "X509 CERTIFICATE": _certificate,
    "CERTIFICATE REQUEST": _request,
    "NEW CERTIFICATE REQUEST": _request,
    "PUBLIC KEY": _public_key,
    "RSA PUBLIC KEY": _rsa_public_key,
    "PRIVATE KEY": _private_key,
    "RSA PRIVATE KEY": _private_key,
    "EC PRIVATE KEY": _private_key,
    "DSA PRIVATE KEY": _private_key,
    "ENCRYPTED PRIVATE KEY": _sealed_key,
    "PKCS7": _pkcs7,
    "CMS": _pkcs7,
}


def _from_der(der: bytes, who: str, passphrase: Passphrase | None) -> list[KeyMaterial]:
    """One value in DER, told apart by the tags of what it begins with."""
    try:
        return _reader_for(der)(der, who, passphrase)
    except MalformedError as error:
        raise MalformedError(f"{who}: {error}", hint=error.hint) from None


def _is_one_element(data: bytes) -> bool:
    try:
        outer = read_tlv(data, 0, len(data))
    except MalformedError:
        return False
    return outer.tag == SEQUENCE and outer.end == len(data)


def _reader_for(der: bytes) -> _Reader:
    """Raises `MalformedError` for what has no key that is pinned."""
    outer = read_tlv(der, 0, len(der))
    parts = list(islice(children(der, outer.start, outer.end), 4))
    tags = tuple(part.tag for part in parts)
    if tags[:1] == (OID,):
        return _pkcs7
    if tags[:2] == (INTEGER, SEQUENCE) and tags[2:3] == (OCTET_STRING,):
        return _private_key
    if tags[:2] == (INTEGER, OCTET_STRING) or tags == (INTEGER,) * 4:
        return _private_key
    if tags == (INTEGER, INTEGER):
        return _rsa_public_key
    if tags == (SEQUENCE, BIT_STRING):
        return _public_key
    if tags == (SEQUENCE, OCTET_STRING):
        return _sealed_key
    if tags in ((INTEGER, SEQUENCE, SEQUENCE), (INTEGER, SEQUENCE)):
        raise MalformedError(
            "is PKCS#12", hint="take its certificates out: openssl pkcs12 -nokeys -in FILE"
        )
    if tags != (SEQUENCE, SEQUENCE, BIT_STRING):
        raise MalformedError("is DER of a kind that cannot be pinned")
    # A TBSCertificate without a version is told from a CertificationRequestInfo, which ends
    # with its attributes.
    inside = islice(children(der, parts[0].start, parts[0].end), 5)
    fields = tuple(part.tag for part in inside)
    if fields in ((INTEGER, SEQUENCE, SEQUENCE, 0xA0), (INTEGER, SEQUENCE, SEQUENCE)):
        return _request
    return _certificate


def _requested_subject(request: bytes) -> str:
    outer = read_tlv(request, 0, len(request))
    information = read_tlv(request, outer.start, outer.end)
    version = read_tlv(request, information.start, information.end)
    return name_text(request, read_tlv(request, version.end, information.end))
