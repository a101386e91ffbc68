"""Pins that the world knows, and real certificates: ours agree with everybody's."""

from __future__ import annotations

import gzip
import hashlib
import json
import warnings
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.errors import MalformedError
from pinwarden.pinning.material import read_material
from pinwarden.pinning.pin import parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import view_certificate
from support import openssl_keys as made
from support.leaves import real_certificates, rejected_certificates
from support.pin_samples import AT, policy
from x509.test_real_certificates import by_openssl, pems

# As their authorities and many pin sets print them.
KNOWN = {
    "CN=ISRG Root X1,O=Internet Security Research Group,C=US": (
        "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M="
    ),
    "CN=ISRG Root X2,O=Internet Security Research Group,C=US": (
        "diGVwiVYbubAI3RW4hB9xU8e/CH2GnkuvVFZE8zmgzI="
    ),
    "CN=DigiCert Global Root CA,OU=www.digicert.com,O=DigiCert Inc,C=US": (
        "r/mIkG3eEpVdm+u/ko/cwxzOMo1bk4TyHIlByibiA5E="
    ),
    "CN=DigiCert Global Root G2,OU=www.digicert.com,O=DigiCert Inc,C=US": (
        "i7WTqTvh0OioIruIfFR4kMPnBqrS2rdiVPl/s2uC/CY="
    ),
    "CN=GTS Root R1,O=Google Trust Services LLC,C=US": (
        "hxqRlPTu1bMS/0DITB1SSu0vd4u/8l8TjPgfaAp63Gc="
    ),
}


def by_cryptography(der: bytes) -> bytes | None:
    """The pin where cryptography reads the key and does not encode it anew."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            public = x509.load_der_x509_certificate(der).public_key()
        except (ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.InvalidVersion):
            return None
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest() if spki in der else None


def test_the_pins_of_well_known_roots() -> None:
    bundle = read_material(Path(certifi.where()).read_bytes())
    found = {each.subject: each.pin.base64 for each in bundle}
    present = KNOWN.keys() & found.keys()
    assert {name: found[name] for name in present} == {name: KNOWN[name] for name in present}
    assert len(present) >= 3
    assert len(bundle) > 100
    assert {each.role for each in bundle} == {"root"}


def chains(corpus: Path) -> Iterator[list[bytes]]:
    for name in ("limbo_online_2023-2026", "pcap_handshakes"):
        with gzip.open(corpus / "real-chains" / f"{name}.jsonl.gz", "rt") as lines:
            for line in lines:
                record = json.loads(line)
                chain = [record["leaf"], *record["chain"]] if "leaf" in record else record["chain"]
                yield [b64decode(each) for each in chain]


def test_real_chains_have_the_pins_that_cryptography_finds(corpus: Path) -> None:
    compared = 0
    for chain in chains(corpus):
        for der in chain:
            theirs = by_cryptography(der)
            if theirs is not None:
                assert pin_of_certificate(der).spki_sha256 == theirs
                compared += 1
    assert compared > 300


def test_real_leaves_have_the_pins_that_cryptography_finds(corpus: Path) -> None:
    compared = 0
    for der in real_certificates(corpus):
        theirs = by_cryptography(der)
        if theirs is not None:
            assert pin_of_certificate(der).spki_sha256 == theirs
            compared += 1
    assert compared > 600


def test_odd_certificates_have_one_key_or_no_pin(corpus: Path) -> None:
    """Whatever the strict reader reads, the tolerant one reads as the same key."""
    odd = [*rejected_certificates(corpus)]
    for folder in ("zlint", "google-ct-python"):
        odd += pems(corpus / "certs-odd" / folder)
    pinned = refused = 0
    for der in odd:
        try:
            pin = pin_of_certificate(der)
        except MalformedError:
            refused += 1
            continue
        assert pin.spki_sha256 == view_certificate(der).spki_hash
        theirs = by_cryptography(der)
        assert theirs is None or theirs == pin.spki_sha256
        pinned += 1
    assert pinned > 400
    assert refused > 20


@made.needs_openssl
def test_odd_certificates_have_the_pin_that_openssl_finds(corpus: Path) -> None:
    """Of those that it reads at all: an old sample has a modulus without its leading zero."""
    odd = [*pems(corpus / "certs-odd" / "google-ct-python")]
    compared, put_right = 0, []
    for der in by_openssl(odd):
        try:
            pin = pin_of_certificate(der)
        except MalformedError:
            continue
        text = made.openssl("x509 -inform DER", der)
        if made.spki_of_certificate(text) in der:
            assert pin.base64 == made.pin_of_certificate(text)
            compared += 1
        else:
            put_right.append(view_certificate(der).subject_text.partition(",OU")[0])
    assert compared > 20
    assert [name.rpartition("CN=")[2] for name in put_right] == ["MatrixSSL Sample Server Cert"]


@pytest.fixture(scope="module")
def okhttp(corpus: Path) -> dict[str, list[object]]:
    found: dict[str, list[object]] = json.loads(
        (corpus / "pinning" / "okhttp_pinner_vectors.json").read_text()
    )
    return found


def test_okhttps_patterns_where_they_mean_the_same(okhttp: dict[str, list[object]]) -> None:
    """`**.name` is a name with all below it, a name is itself; `*.name` we cannot say.

    OkHttp matches names with empty labels too. Those are no hosts here, and are refused.
    """
    asked = 0
    for vector in okhttp["host_patterns"]:
        assert isinstance(vector, dict)
        pattern = str(vector["pattern"])
        if pattern.startswith("*."):
            with pytest.raises(MalformedError):
                policy(pattern)
            continue
        below = pattern.startswith("**.")
        pins = PinSet([policy(pattern.removeprefix("**."), include_subdomains=below)])
        for host in (*vector["match"], *vector["no_match"]):
            if host.startswith(".") or ".." in host:
                assert pins.check((), host, at=AT).reason == "host-unreadable"
                continue
            assert (pins.policy_for(host) is not None) is (host in vector["match"]), host
            asked += 1
    assert asked > 15


def test_okhttps_bad_pins_are_refused(okhttp: dict[str, list[object]]) -> None:
    for host, text in okhttp["invalid_pins"]:
        assert _is_refused(policy, host) or _is_refused(parse_pin, text)


def _is_refused(make: Callable[[str], object], text: str) -> bool:
    try:
        make(text)
    except MalformedError:
        return True
    return False
