"""A certification authority on loopback: a root, an intermediate, and what they sign.

Two nouns: a `CA` issues, and what it issued is an `Issued`. Honest TBSCertificates
come from the `cryptography` library; poison and SCT list (RFC 6962 section 3.1 and
3.3) are added by bytes, so that the precertificate, the logged TBSCertificate and
the certificate agree in every other byte, as they must in the world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Unpack

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pinwarden.lab import asn1
from pinwarden.lab.profile import (
    PrivateKey,
    Wish,
    authority_name,
    ca_certificate,
    key_pem,
    leaf_extensions,
    new_key,
    pem,
    san,
    spki_of,
    subject,
)

__all__ = [
    "CA",
    "Issued",
    "Precertificate",
    "PrivateKey",
    "Wish",
    "key_pem",
    "new_key",
    "pem",
    "sct_list",
    "spki_of",
]

# RFC 6962 section 3.1: the extended key usage of a Precertificate Signing Certificate.
PRECERT_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.4")
POISON = asn1.extension(
    asn1.POISON_OID,
    asn1.element(asn1.NULL),
    critical=b"\x01\x01\xff",
)


class PrecertificateLog(Protocol):
    """A log that answers a precertificate chain with a serialized SCT."""

    def add_pre_chain(self, chain: Sequence[bytes]) -> bytes:
        """Enter the precertificate and promise it with a signature."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Precertificate:
    """The promise to issue: what a log is shown before the certificate exists.

    `chain` is what follows `der` up to the root; `tbs` is the TBSCertificate as a
    log enters it, without poison; `issuer_key_hash` names the key that will issue
    the certificate.
    """

    der: bytes
    tbs: bytes
    issuer_key_hash: bytes
    chain: tuple[bytes, ...]
    private_key: PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One issuance: the certificate, the precertificate before it, and the key."""

    certificate: bytes
    precertificate: bytes
    tbs: bytes
    issuer_key_hash: bytes
    chain: tuple[bytes, ...]
    precertificate_chain: tuple[bytes, ...]
    private_key: PrivateKey

    @property
    def certificate_chain(self) -> tuple[bytes, ...]:
        """The certificate and everything up to the root, as submitted by add-chain."""
        return (self.certificate, *self.chain)

    @property
    def served_chain(self) -> tuple[bytes, ...]:
        """What a well kept TLS server sends: no root."""
        return (self.certificate, *self.chain[:-1])

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the certificate."""
        return hashlib.sha256(self.certificate).digest()


class CA:
    """A root and one intermediate, on P-256 or RSA, and the certificates they sign."""

    def __init__(
        self, name: str = "Pinwarden Lab", *, at: datetime | None = None, key_kind: str = "ec"
    ) -> None:
        self.name = name
        self.at = at
        self.key_kind = key_kind
        born = self._now() - timedelta(days=365)
        self.root_key = new_key(key_kind)
        self.key = new_key(key_kind)
        self._root_name = authority_name(name, f"{name} Root")
        self._name = authority_name(name, f"{name} E1")
        above = self._root_name, self.root_key
        self.root = ca_certificate(*above, *above, born=born, path_length=None)
        self.intermediate = ca_certificate(self._name, self.key, *above, born=born, path_length=1)
        self._precert_signer: tuple[PrivateKey, bytes] | None = None

    @property
    def chain(self) -> tuple[bytes, bytes]:
        """What stands above a certificate issued here: intermediate, root."""
        return (self.intermediate, self.root)

    @property
    def issuer_key_hash(self) -> bytes:
        """SHA-256 of the intermediate's SubjectPublicKeyInfo (RFC 6962 section 3.2)."""
        return hashlib.sha256(spki_of(self.key)).digest()

    def tbs(self, names: Sequence[str], key: PrivateKey, **wish: Unpack[Wish]) -> bytes:
        """An honest TBSCertificate with ten extensions less the SCT list."""
        start = wish.get("not_before") or self._now() - timedelta(hours=1)
        lifetime = timedelta(days=wish.get("days", 90))
        cn = wish.get("cn", names[0] if names else None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(cn, wish.get("organization")))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(wish.get("serial") or x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lifetime - timedelta(seconds=1))
        )
        for extension, critical in leaf_extensions(key, self.key, san(names, wish)):
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256()).tbs_certificate_bytes

    def precertify(
        self,
        names: Sequence[str],
        *,
        key: PrivateKey | None = None,
        by_precert_signer: bool = False,
        **wish: Unpack[Wish],
    ) -> Precertificate:
        """Sign a precertificate; `complete` makes the certificate of it."""
        key = key or new_key()
        return self.precertify_tbs(
            self.tbs(names, key, **wish), key, by_precert_signer=by_precert_signer
        )

    def precertify_tbs(
        self, tbs: bytes, key: PrivateKey, *, by_precert_signer: bool = False
    ) -> Precertificate:
        """Sign the precertificate of any TBSCertificate, however damaged.

        With `by_precert_signer`, a Precertificate Signing Certificate signs, and
        issuer and authority key identifier of the precertificate are its own
        (RFC 6962 section 3.1 and 3.2).
        """
        poisoned = asn1.with_extensions(tbs, [*asn1.extensions_of(tbs), POISON])
        chain: tuple[bytes, ...] = self.chain
        signer = self.key
        if by_precert_signer:
            signer, certificate = self._precert_signing_certificate()
            poisoned = _issued_by(poisoned, certificate)
            chain = (certificate, *chain)
        return Precertificate(
            der=_sign(poisoned, signer),
            tbs=tbs,
            issuer_key_hash=self.issuer_key_hash,
            chain=chain,
            private_key=key,
        )

    def complete(self, precertificate: Precertificate, scts: Sequence[bytes] = ()) -> Issued:
        """Sign the certificate that was promised, with these SCTs in it."""
        tbs = precertificate.tbs
        if scts:
            tbs = asn1.with_extensions(tbs, [*asn1.extensions_of(tbs), sct_list(scts)])
        return Issued(
            certificate=self.sign(tbs),
            precertificate=precertificate.der,
            tbs=precertificate.tbs,
            issuer_key_hash=precertificate.issuer_key_hash,
            chain=self.chain,
            precertificate_chain=(precertificate.der, *precertificate.chain),
            private_key=precertificate.private_key,
        )

    def issue(
        self,
        names: Sequence[str],
        *,
        key: PrivateKey | None = None,
        logs: Sequence[PrecertificateLog] = (),
        by_precert_signer: bool = False,
        **wish: Unpack[Wish],
    ) -> Issued:
        """Precertificate, an SCT of each log, certificate: the whole way at once."""
        promised = self.precertify(names, key=key, by_precert_signer=by_precert_signer, **wish)
        shown = (promised.der, *promised.chain)
        return self.complete(promised, [log.add_pre_chain(shown) for log in logs])

    def sign(self, tbs: bytes) -> bytes:
        """A certificate around any TBSCertificate, signed by the intermediate."""
        return _sign(tbs, self.key)

    def _now(self) -> datetime:
        return self.at or datetime.now(UTC)

    def _precert_signing_certificate(self) -> tuple[PrivateKey, bytes]:
        if self._precert_signer is None:
            key = new_key(self.key_kind)
            certificate = ca_certificate(
                authority_name(self.name, f"{self.name} Precertificate Signer"),
                key,
                self._name,
                self.key,
                born=self._now() - timedelta(days=30),
                path_length=0,
                usages=[PRECERT_SIGNING],
            )
            self._precert_signer = (key, certificate)
        return self._precert_signer


def _sign(tbs: bytes, key: PrivateKey) -> bytes:
    algorithm = asn1.children(tbs)[asn1.SIGNATURE]
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return asn1.sequence(tbs, algorithm, asn1.element(asn1.BIT_STRING, b"\x00", signature))


def sct_list(scts: Sequence[bytes]) -> bytes:
    """The SignedCertificateTimestampList extension (RFC 6962 section 3.3)."""
    listed = b"".join(len(each).to_bytes(2, "big") + each for each in scts)
    body = len(listed).to_bytes(2, "big") + listed
    return asn1.extension(asn1.SCT_LIST_OID, asn1.element(asn1.OCTET_STRING, body))


def _issued_by(tbs: bytes, signer: bytes) -> bytes:
    certificate = x509.load_der_x509_certificate(signer)
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    authority = asn1.sequence(asn1.general_name(0, identifier.value.digest))
    renamed = asn1.replace_field(tbs, asn1.ISSUER, certificate.subject.public_bytes())
    return asn1.replace_extension(
        renamed, asn1.AUTHORITY_KEY_OID, asn1.extension(asn1.AUTHORITY_KEY_OID, authority)
    )
