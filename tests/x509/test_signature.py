"""Whether one certificate signed another, beside the library that everybody uses."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import CertificateView, view_certificate, view_tbs
from pinwarden.x509.signature import verify_issued

KINDS = ("rsa-sha256", "rsa-sha384", "rsa-sha512", "rsa-pss", "p256", "p384", "ed25519", "ed448")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@cache
def pair(kind: str) -> tuple[bytes, bytes]:
    """A certificate and the one of its issuer, whose key is of this kind."""
    algorithm: hashes.HashAlgorithm | None = hashes.SHA256()
    scheme = None
    if kind.startswith("rsa"):
        key = rsa.generate_private_key(65537, 2048)
        algorithm = {"384": hashes.SHA384(), "512": hashes.SHA512()}.get(kind[-3:], algorithm)
        if kind == "rsa-pss":
            scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    elif kind.startswith("p"):
        key = ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())
        algorithm = hashes.SHA256() if kind == "p256" else hashes.SHA384()
    else:
        key = {"ed25519": ed25519.Ed25519PrivateKey, "ed448": ed448.Ed448PrivateKey}[
            kind
        ].generate()
        algorithm = None
    born = datetime(2020, 1, 1, tzinfo=UTC)

    def certificate(subject: str, public_key: object) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("issuer"))
            .public_key(public_key)
            .serial_number(1000)
            .not_valid_before(born)
            .not_valid_after(born + timedelta(days=1))
        )
        return builder.sign(key, algorithm, rsa_padding=scheme).public_bytes(Encoding.DER)

    leaf = ec.generate_private_key(ec.SECP256R1()).public_key()
    return certificate("leaf", leaf), certificate("issuer", key.public_key())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_signature(kind: str) -> None:
    """What the issuer signed verifies, years after it expired; itself too."""
    leaf, issuer = map(view_certificate, pair(kind))
    verify_issued(leaf, issuer)
    verify_issued(issuer, issuer)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", ["rsa-sha256", "p256", "ed25519"])
def test_the_key_of_somebody_else(kind: str, other: str) -> None:
    """The name fits, and the key does not."""
    if kind == other:
        return
    with pytest.raises(BadSignatureError):
        verify_issued(view_certificate(pair(kind)[0]), view_certificate(pair(other)[1]))


@pytest.mark.parametrize("kind", ["rsa-sha256", "rsa-pss", "p256", "ed25519"])
@given(place=st.integers(0, 10**6))
def test_no_bit_can_be_changed(kind: str, place: int) -> None:
    """Neither in what is signed, nor in the algorithm, nor in the signature."""
    leaf, issuer = pair(kind)
    at, bit = divmod(place % (len(leaf) * 8), 8)
    changed = leaf[:at] + bytes([leaf[at] ^ 1 << bit]) + leaf[at + 1 :]
    try:
        view = view_certificate(changed)
    except MalformedError:
        return
    if view.der != changed:
        # What is left behind a shorter certificate is not part of it.
        return
    with pytest.raises((BadSignatureError, MalformedError)) as refused:
        verify_issued(view, view_certificate(issuer))
    assert str(refused.value).isprintable()


def test_another_name() -> None:
    """The right key under another name issued nothing."""
    ca = CA("Some CA")
    issued = ca.issue(["www.example.com"])
    leaf, intermediate, root = map(view_certificate, issued.certificate_chain)
    verify_issued(leaf, intermediate)
    verify_issued(intermediate, root)
    verify_issued(root, root)
    for below, above in ((leaf, root), (intermediate, leaf), (leaf, leaf)):
        with pytest.raises(BadSignatureError):
            verify_issued(below, above)


def test_two_algorithms_and_none() -> None:
    """The algorithm outside must be the one inside; a TBSCertificate alone is signed by nobody."""
    leaf, issuer = pair("p256")
    inside = bytes.fromhex("2a8648ce3d040302")
    assert leaf.count(inside) == 2
    outside = leaf[::-1].replace(inside[::-1], bytes.fromhex("2a8648ce3d040303")[::-1], 1)[::-1]
    with pytest.raises(MalformedError, match="two signature algorithms"):
        verify_issued(view_certificate(outside), view_certificate(issuer))
    bare: CertificateView = view_tbs(view_certificate(leaf).tbs)
    with pytest.raises(MalformedError):
        verify_issued(bare, view_certificate(issuer))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_real_chains(corpus: Path) -> None:
    """Over twenty years of chains we say what the library says, where it can say anything."""
    agreed: Counter[bool] = Counter()
    for name in ("limbo_online_2023-2026", "pcap_handshakes"):
        with gzip.open(corpus / "real-chains" / f"{name}.jsonl.gz", "rt") as lines:
            for record in map(json.loads, lines):
                chain = [record["leaf"]] if "leaf" in record else []
                encoded = [*chain, *record["chain"], *record.get("roots", [])][:8]
                agreed.update(_compared([b64decode(each) for each in encoded]))
    assert agreed[True] > 200
    assert agreed[False] > 200


def _compared(ders: list[bytes]) -> Iterator[bool]:
    """Whether a certificate was issued by another, for all of them that both can read."""
    for below in ders:
        for above in ders:
            try:
                theirs = _theirs(below, above)
            except (ValueError, TypeError, UnsupportedAlgorithm):
                continue
            try:
                verify_issued(view_certificate(below), view_certificate(above))
                ours = True
            except (BadSignatureError, MalformedError):
                ours = False
            assert ours is theirs, (below.hex(), above.hex())
            yield ours


def _theirs(below: bytes, above: bytes) -> bool:
    certificate = x509.load_der_x509_certificate(below)
    issuer = x509.load_der_x509_certificate(above)
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    return True
