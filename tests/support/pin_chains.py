"""The chains of `support.pin_world`: honest ones, and those of attackers."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pinwarden.lab import asn1
from pinwarden.lab.ca import CA, PrivateKey, new_key
from pinwarden.lab.profile import ca_certificate
from pinwarden.lab.tls import Credentials

_RSASSA_PSS = asn1.sequence(asn1.oid("1.2.840.113549.1.1.10"))
_FORGER = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Authorities:
    """The genuine one, another that clients trust, and one that they trusted long ago."""

    a: CA
    b: CA
    old: CA


def chains_of(
    authorities: Authorities, names: Sequence[str], ips: Sequence[str]
) -> dict[str, Credentials]:
    """The chains by name, as `support.pin_world` describes them."""
    a, b = authorities.a, authorities.b
    genuine, rogue = a.issue(names, ips=ips), b.issue(names, ips=ips)
    last_week = datetime.now(UTC) - timedelta(days=8)
    expired = a.issue(names, ips=ips, not_before=last_week, days=7)
    other = a.issue(["other.example"])
    itself = CA("Itself")
    # The forger's own authority has A's name and claims A's key.
    forged = _forged(a.tbs(names, _FORGER, ips=ips))
    return {
        "genuine": Credentials.of(genuine),
        "rogue": Credentials.of(rogue),
        "stuffed": Credentials(
            (*rogue.served_chain, a.intermediate, a.root, genuine.certificate), rogue.private_key
        ),
        "cross-signed": Credentials(
            (*genuine.served_chain, crossed(a, authorities.old)), genuine.private_key
        ),
        "forged": Credentials((forged, a.intermediate), _FORGER),
        "fake-intermediate": Credentials(
            (rogue.certificate, _claimed(b, a), a.intermediate, b.intermediate), rogue.private_key
        ),
        "expired": Credentials.of(expired),
        "wrong-host": Credentials.of(other),
        "self-signed": Credentials.of(itself.issue(names, ips=ips)),
        **_odd_keys(a, names, ips),
    }


def crossed(new: CA, old: CA) -> bytes:
    """The root of one authority as an intermediate of another."""
    subject, above = _name(new.root), _name(old.root)
    born = datetime.now(UTC) - timedelta(days=300)
    return ca_certificate(subject, new.root_key, above, old.root_key, born=born, path_length=None)


def client_certificate(ca: CA) -> Credentials:
    """What a client shows of itself."""
    return Credentials.of(ca.issue(["client.example"]))


def _name(certificate: bytes) -> x509.Name:
    return x509.load_der_x509_certificate(certificate).subject


def _forged(tbs: bytes) -> bytes:
    """A certificate whose signature is by a key that is not the issuer's."""
    forger = CA("Forger")
    forger.key = _FORGER
    return forger.sign(tbs)


def _claimed(owner: CA, above: CA) -> bytes:
    """An intermediate with its true key and name, that another is falsely said to have signed."""
    true = ca_certificate(
        _name(owner.intermediate),
        owner.key,
        _name(above.intermediate),
        above.key,
        born=datetime.now(UTC) - timedelta(days=300),
        path_length=None,
    )
    return _forged(asn1.children(true)[0])


class _OddKey:
    """A private key whose PKCS #8 file is given, so that OpenSSL takes it as it is."""

    def __init__(self, pkcs8: bytes) -> None:
        self._pkcs8 = pkcs8

    def private_bytes(self, *_: object) -> bytes:
        text = base64.encodebytes(self._pkcs8)
        return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


def _odd_keys(ca: CA, names: Sequence[str], ips: Sequence[str]) -> dict[str, Credentials]:
    # The SubjectPublicKeyInfo of each is put into the TBSCertificate of another key.
    plain = ca.tbs(names, new_key(), ips=ips)
    edwards: Any = ed25519.Ed25519PrivateKey.generate()
    point = new_key()
    assert isinstance(point, ec.EllipticCurvePrivateKey)
    rsa = new_key("rsa")
    # PrivateKeyInfo (RFC 5208 section 5) with the algorithm of RFC 4055 section 3.1.
    version, _, *rest = asn1.children(_pkcs8(rsa))
    return {
        "ed25519": _with_key(ca, plain, _spki(edwards), edwards),
        "compressed": _with_key(ca, plain, _compressed(point), point),
        "rsa-pss": _with_key(
            ca,
            plain,
            asn1.sequence(_RSASSA_PSS, asn1.children(_spki(rsa))[1]),
            _OddKey(asn1.sequence(version, _RSASSA_PSS, *rest)),
        ),
    }


def _with_key(ca: CA, tbs: bytes, spki: bytes, key: Any) -> Credentials:
    subject_public_key_info = 6
    leaf = ca.sign(asn1.replace_field(tbs, subject_public_key_info, spki))
    return Credentials((leaf, ca.intermediate), key)


def _compressed(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The SubjectPublicKeyInfo of a key with its point compressed (RFC 5480 section 2.2)."""
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    algorithm = asn1.children(_spki(key))[0]
    return asn1.sequence(algorithm, asn1.element(asn1.BIT_STRING, b"\x00", point))


def _spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _pkcs8(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
