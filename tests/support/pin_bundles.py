"""Signers, and the bundles that they sign, for tests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pinwarden.pinning import PinSet
from pinwarden.pinning.bundle import Bundle, BundleFile, KeySet, SignedText, to_bundle_text
from pinwarden.pinning.bundle_trust import Trust
from pinwarden.pinning.minisign_secret import Cost, SecretKey

NAME = "shop"
ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
AT = datetime(2026, 11, 24, tzinfo=UTC)
EXPIRES = datetime(2026, 12, 31, tzinfo=UTC)
# Enough that a passphrase has to be right; no more, since tests open keys often.
CHEAP = Cost(1 << 15, 1 << 20)


def signer(name: str) -> SecretKey:
    """The same key for the same name."""
    octets = hashlib.sha512(name.encode()).digest()
    return SecretKey(octets[:8], octets[8:40])


ANNA, BERT, CLEO = map(signer, ("Anna", "Bert", "Cleo"))
DORA, EMIL = map(signer, ("Dora", "Emil"))


def pin_of(name: str) -> str:
    return f"sha256//{base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()}"


def pin_set(active: str = "active key", host: str = "api.example.com") -> PinSet:
    """A set of one host, whose CA key goes by a name."""
    return PinSet.parse(
        f'[[policy]]\nhost = "{host}"\nmode = "enforce"\n'
        f'ca_pins = ["{pin_of(active)}"]\nbackup_pins = ["{pin_of("backup key")}"]\n'
    )


def key_set(threshold: int, *signers: SecretKey) -> KeySet:
    return KeySet(tuple(each.public for each in signers), threshold)


KEYS = key_set(2, ANNA, BERT, CLEO)
TRUST = Trust(NAME, KEYS)


def bundle(version: int = 1, **changes: object) -> Bundle:
    plain = Bundle(name=NAME, version=version, issued=ISSUED, expires=EXPIRES, pins=pin_set())
    return replace(plain, **changes)  # type: ignore[arg-type]


def signed(what: Bundle | str, *signers: SecretKey) -> SignedText:
    text = what if isinstance(what, str) else to_bundle_text(what)
    return SignedText(text, tuple(each.sign(text.encode()) for each in signers))


def file_of(
    what: Bundle | str,
    signers: Iterable[SecretKey] = (ANNA, BERT),
    chain: Iterable[SignedText] = (),
) -> BundleFile:
    return BundleFile(signed(what, *signers), tuple(chain))


def octets_of(file: BundleFile) -> bytes:
    return file.to_json().encode()


def fresh(version: int = 1, **changes: object) -> Bundle:
    """A bundle that is not stale now."""
    now = datetime.now(UTC).replace(microsecond=0)
    times = {"issued": now - timedelta(days=1), "expires": now + timedelta(days=30)}
    return bundle(version, **(times | changes))
