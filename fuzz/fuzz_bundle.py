"""Fuzzes signed bundles and minisign's files: a value that reads back, or one of our errors.

`fuzz/target.py` says how it runs.
"""

import json
import random
from contextlib import suppress

from target import damaged, run

from pinwarden.errors import MalformedError
from pinwarden.pinning.bundle import KeySet, parse_bundle, parse_bundle_file, to_bundle_text
from pinwarden.pinning.bundle_trust import BundleRefusedError, Trust, accept
from pinwarden.pinning.minisign import parse_public_key, parse_signature
from pinwarden.pinning.minisign_secret import SecretKey, parse_secret_key

_KEY = SecretKey(b"\1" * 8, b"\2" * 32)
_TRUST = Trust("shop", KeySet((_KEY.public,), 1))
_PIN = "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
_SPARE = "sha256//HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
_TEXT = json.dumps(
    {
        "format": "pinwarden-pins-1",
        "name": "shop",
        "version": 7,
        "issued": "2026-11-01T00:00:00Z",
        "expires": "2026-12-31T00:00:00Z",
        "keys": [_KEY.public.text],
        "threshold": 1,
        "pins": {
            "policy": [
                {
                    "host": "a.example",
                    "mode": "enforce",
                    "ca_pins": [_PIN],
                    "backup_pins": [_SPARE],
                }
            ]
        },
    }
)


def check(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    check_bundle(text)
    check_minisign(text)
    check_file(data)


def check_bundle(text: str) -> None:
    try:
        bundle = parse_bundle(text)
    except MalformedError as error:
        check_message(error)
        return
    assert parse_bundle(to_bundle_text(bundle)) == bundle


def check_minisign(text: str) -> None:
    with suppress(MalformedError):
        signature = parse_signature(text)
        assert parse_signature(signature.text) == signature
    with suppress(MalformedError):
        key = parse_public_key(text)
        assert parse_public_key(key.file_text) == key
    with suppress(MalformedError):
        parse_secret_key(text)


def check_file(data: bytes) -> None:
    try:
        file = parse_bundle_file(data)
    except MalformedError as error:
        check_message(error)
        return
    assert parse_bundle_file(file.to_json()) == file
    try:
        found = accept(file, _TRUST)
    except BundleRefusedError as error:
        check_message(error)
        return
    # Nobody else has the key: whatever was done to the file, what is believed was signed.
    assert file.signed.text in (_TEXT, to_bundle_text(parse_bundle(_TEXT)))
    assert found.version == 7


def check_message(error: Exception) -> None:
    assert str(error).isprintable()


def _seeds() -> list[bytes]:
    signature = _KEY.sign(_TEXT.encode(), trusted_comment="7").text
    link = {"bundle": _TEXT, "signatures": [signature]}
    return [
        _TEXT.encode(),
        json.dumps(link).encode(),
        json.dumps(link | {"chain": [link, link]}).encode(),
        signature.encode(),
        _KEY.public.file_text.encode(),
        _KEY.file_text(None, salt=bytes(32)).encode(),
    ]


_SEEDS = _seeds()


def made_up(number: random.Random) -> bytes:
    """A good one, damaged; sometimes not at all."""
    seed = number.choice(_SEEDS)
    return seed if number.random() < 0.05 else damaged(seed, number)


if __name__ == "__main__":
    run(check, made_up)
