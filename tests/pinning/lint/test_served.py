"""Findings beside what a host serves, with real chains."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.findings import Finding
from pinwarden.pinning import Pin, PinSet
from pinwarden.pinning.draft import read_draft
from pinwarden.pinning.lint import LintSetting, lint_draft, lint_set
from pinwarden.pinning.lint.mistaken_hashes import mistaken_hashes
from pinwarden.pinning.policy import PinnedKey, PinRole
from pinwarden.pinning.served import ServedChain
from pinwarden.pinning.spki import spki_of_certificate
from pinwarden.x509.certificate import SPKIHash
from support.pin_chains import crossed
from support.pin_world import HOST, policy, world

NOISE = {"PW-PIN-NO-EXPIRY", "PW-PIN-UNPINNED-ALLOWED", "PW-PIN-LEAF-ONLY"}


def verified(name: str) -> tuple[bytes, ...]:
    """The verified chain of a server of the pin world."""
    authorities = world().authorities
    ca = authorities.b if name in ("rogue", "stuffed") else authorities.a
    return (world().chains[name].certificates[0], ca.intermediate, ca.root)


def lint(
    *chains: tuple[bytes, ...], anchors: tuple[bytes, ...] = (), sent: Any = (), **options: Any
) -> list[Finding]:
    served = [
        ServedChain(address=f"192.0.2.{number}", verified=chain, sent=sent or chain[:-1])
        for number, chain in enumerate(chains, 1)
    ]
    setting = LintSetting(at=datetime.now(UTC), served={HOST: served}, anchors=anchors)
    found = lint_set(PinSet([policy(HOST, **options)]), setting)
    return [each for each in found if each.id not in NOISE]


def ids(*chains: tuple[bytes, ...], **options: Any) -> list[str]:
    return [each.id.removeprefix("PW-PIN-") for each in lint(*chains, **options)]


GENUINE, ROGUE = verified("genuine"), verified("rogue")


def test_nothing_to_say() -> None:
    assert ids(GENUINE, ca="intermediate") == []
    assert ids(GENUINE, GENUINE, leaf="leaf", ca="root") == []


def test_locked_out() -> None:
    (first, *rest) = lint(GENUINE, ca="stray")
    assert first.id == "PW-PIN-LOCKED-OUT"
    assert "every client is refused" in first.message
    assert str(world().pins["intermediate"]) in first.message
    assert [each.id for each in rest] == ["PW-PIN-NOT-SERVED"]


def test_addresses_disagree() -> None:
    (found,) = lint(GENUINE, ROGUE, ca="intermediate")
    assert found.id == "PW-PIN-ADDRESSES-DISAGREE"
    assert "192.0.2.2" in found.message
    assert "192.0.2.1" not in found.message


def test_forbidden_key() -> None:
    assert ids(GENUINE, ca="intermediate", forbidden="leaf") == ["FORBIDDEN-SERVED"]


def test_served_backups() -> None:
    assert ids(GENUINE, ca="intermediate", backup="leaf") == ["BACKUP-SERVED"]
    assert ids(GENUINE, ca="intermediate", backup=("leaf", "spare")) == []


def test_pins_that_match_nothing() -> None:
    assert ids(GENUINE, ca=("intermediate", "stray")) == ["NOT-SERVED"]
    assert ids(GENUINE, ROGUE, ca=("intermediate", "rogue-root")) == []


def test_pins_in_the_wrong_list() -> None:
    assert ids(GENUINE, ca=("leaf", "root")) == ["WRONG-ROLE"]
    assert ids(GENUINE, leaf=("intermediate", "leaf")) == ["WRONG-ROLE"]
    assert ids(GENUINE, ca="leaf") == ["LOCKED-OUT", "WRONG-ROLE"]


def test_a_ca_that_ends_before_the_policy() -> None:
    """Lab CAs last for years: so does this policy, for the sake of the test."""
    later = datetime.now(UTC).date() + timedelta(days=366 * 40)
    found = ids(GENUINE, ca="intermediate", expires=later, on_expiry="closed")
    assert set(found) == {"KEY-EXPIRES", "EXPIRY-FAR"}


def _hash(octets: bytes) -> Pin:
    return Pin(SPKIHash(hashlib.sha256(octets).digest()))


def _with_pin(pin: Pin) -> list[Finding]:
    pins = policy(HOST, ca="intermediate")
    keys = (*pins.keys, PinnedKey(pin, PinRole.LEAF))
    served = [ServedChain(address="192.0.2.1", verified=GENUINE)]
    setting = LintSetting(at=datetime.now(UTC), served={HOST: served})
    found = lint_set(PinSet([replace(pins, keys=keys)]), setting)
    return [each for each in found if each.id not in NOISE]


def test_the_hash_of_a_whole_certificate() -> None:
    (first, *_) = _with_pin(_hash(GENUINE[0]))
    assert first.id == "PW-PIN-CERTIFICATE-HASH"
    assert str(world().pins["leaf"]) in first.message


SPKI = spki_of_certificate(GENUINE[1])
PEM = x509.load_der_x509_certificate(GENUINE[1]).public_key()
WRONG = {
    "pem": PEM.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "base64": base64.b64encode(SPKI),
    "hex": SPKI.hex().encode(),
    "twice": hashlib.sha256(SPKI).digest(),
    "tbs": x509.load_der_x509_certificate(GENUINE[1]).tbs_certificate_bytes,
    "point": PEM.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
}


@pytest.mark.parametrize("form", WRONG)
def test_the_hash_of_something_else(form: str) -> None:
    """What openssl and libraries give out, hashed as it is."""
    (first, *_) = _with_pin(_hash(WRONG[form]))
    assert first.id == "PW-PIN-WRONG-OCTETS"
    assert str(world().pins["intermediate"]) in first.message


@pytest.mark.parametrize("odd", ["rsa-pss", "compressed"])
def test_a_key_that_a_library_encodes_again(odd: str) -> None:
    """The trap of every tool that goes through a key object."""
    certificate = world().chains[odd].certificates[0]
    again = x509.load_der_x509_certificate(certificate).public_key()
    octets = again.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert octets != spki_of_certificate(certificate)
    assert "again" in mistaken_hashes(certificate)[hashlib.sha256(octets).digest()]


@pytest.mark.parametrize("name", ["genuine", "rsa-pss", "ed25519", "compressed"])
def test_the_right_hash_is_never_a_mistake(name: str) -> None:
    for certificate in world().chains[name].certificates:
        right = hashlib.sha256(spki_of_certificate(certificate)).digest()
        assert right not in mistaken_hashes(certificate)


def test_rubbish_has_no_mistakes_but_itself() -> None:
    assert len(mistaken_hashes(b"rubbish")) == 1


def test_a_root_that_partial_chains_do_not_reach() -> None:
    a = world().authorities.a
    assert ids(GENUINE, ca="root", anchors=(a.root,)) == []
    found = lint(GENUINE, ca="root", anchors=(a.root, a.intermediate))
    assert [each.id for each in found] == ["PW-PIN-ROOT-UNREACHABLE"]
    assert ids(GENUINE, ca=("root", "intermediate"), anchors=(a.root, a.intermediate)) == []
    # And seen from Python 3.13, where the chain ended below the root.
    assert ids(GENUINE[:2], ca="root", anchors=(a.root, a.intermediate)) == [
        "LOCKED-OUT",
        "ROOT-UNREACHABLE",
        "NOT-SERVED",
    ]


def test_a_cross_signed_root_that_some_clients_do_not_reach() -> None:
    a, old = world().authorities.a, world().authorities.old
    cross = crossed(a, old)
    sent = (*GENUINE[:2], cross)
    by_old = (*GENUINE[:2], cross, old.root)
    anchors = (a.root, old.root)
    assert ids(by_old, ca="old-root", anchors=anchors, sent=sent) == ["TRUST-STORE"]
    assert ids(by_old, ca=("old-root", "root"), anchors=anchors, sent=sent) == []
    assert ids(GENUINE, ca="root", anchors=anchors, sent=sent) == []
    assert "TRUST-STORE" in ids(GENUINE, ca="old-root", anchors=anchors, sent=sent)


def test_one_organisation() -> None:
    a, b = world().authorities.a, world().authorities.b
    options: dict[str, Any] = {"ca": "intermediate", "anchors": (a.root, b.root)}
    assert ids(GENUINE, backup="root", **options) == ["BACKUP-SERVED", "ONE-CA"]
    assert ids(GENUINE, backup="rogue-root", **options) == []
    assert ids(GENUINE, backup="spare", **options) == []


def test_a_host_that_verified_nowhere_says_nothing() -> None:
    served = [ServedChain(address="192.0.2.1", verified=(), problem="is away")]
    setting = LintSetting(at=datetime.now(UTC), served={HOST: served})
    found = {each.id for each in lint_set(PinSet([policy(HOST, ca="stray")]), setting)}
    assert found <= NOISE


def test_a_new_key_that_is_served_too_early() -> None:
    today = datetime.now(UTC).date()
    pins = world().pins
    text = f"""
[[policy]]
host = "{HOST}"
mode = "enforce"
ca_pins = ["{pins["stray"]}"]
backup_pins = ["{pins["intermediate"]}", "{pins["spare"]}"]
[policy.rotation]
stage = "published"
old = ["{pins["stray"]}"]
new = "{pins["intermediate"]}"
client_lag_days = 30
new_was = "unknown"
prepared = {today}
published = {today}
"""
    served = [ServedChain(address="192.0.2.1", verified=GENUINE)]
    setting = LintSetting(at=datetime.now(UTC), served={HOST: served})
    found = [each for each in lint_draft(read_draft(text), setting) if "ROTATION" in each.id]
    assert [each.id for each in found] == ["PW-PIN-ROTATION-LATE"]
    assert "served already" in found[0].message
