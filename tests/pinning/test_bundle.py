"""Bundles: the text that is signed, and the file in which it travels."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.pinning.bundle import (
    LARGEST_FILE,
    BundleFile,
    KeySet,
    SignedText,
    parse_bundle,
    parse_bundle_file,
    to_bundle_text,
)
from pinwarden.pinning.minisign import PublicKey
from support.pin_bundles import ANNA, BERT, EXPIRES, ISSUED, bundle, file_of, key_set, signed


def changed(**changes: Any) -> str:
    """A bundle's text with keys changed; None takes a key out."""
    value = json.loads(to_bundle_text(bundle())) | changes
    return json.dumps({key: each for key, each in value.items() if each is not None})


@given(
    st.integers(1, 2**53 - 1),
    st.integers(0, 10**8),
    st.integers(1, 10**8),
    st.sampled_from([None, key_set(1, ANNA), key_set(2, BERT, ANNA)]),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
)
def test_what_is_written_reads_back(
    version: int, after: int, long: int, keys: KeySet | None, name: str
) -> None:
    issued = ISSUED + timedelta(seconds=after)
    what = bundle(
        version,
        name=name,
        issued=issued,
        expires=issued + timedelta(seconds=long),
        next_keys=keys,
    )
    assert parse_bundle(to_bundle_text(what)) == what


def test_a_file_reads_back_to_the_octet() -> None:
    file = file_of(bundle(2), chain=[signed(bundle(1, next_keys=key_set(1, ANNA)), ANNA)])
    assert parse_bundle_file(file.to_json()) == file
    assert parse_bundle_file(file.to_json().encode()) == file
    odd = BundleFile(SignedText("\u2028 ä \x7f\U0001f600\n\t\x00", (), ("of a kind to come",)))
    assert parse_bundle_file(odd.to_json()) == odd


def test_a_bundle_expires_at_its_second() -> None:
    assert not bundle().expired(EXPIRES - timedelta(microseconds=1))
    assert bundle().expired(EXPIRES)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "pinwarden-pins-2"},
        {"format": None},
        {"more": 1},
        {"name": ""},
        {"name": "-shop"},
        {"name": "shop\n"},
        {"name": "a" * 65},
        {"name": 7},
        {"name": None},
        {"version": 0},
        {"version": -1},
        {"version": True},
        {"version": "1"},
        {"version": 2**53},
        {"version": None},
        {"issued": "2026-12-31T00:00:00Z"},
        {"issued": "2026-11-01"},
        {"issued": "2026-11-01T00:00:00+00:00"},
        {"issued": "2026-11-01T00:00:00.5Z"},
        {"issued": "2026-11-31T00:00:00Z"},
        {"issued": "1970-01-01T00:00:00Z"},
        {"issued": "٢٠٢٦-11-01T00:00:00Z"},
        {"expires": None},
        {"expires": 0},
        {"keys": [ANNA.public.text]},
        {"threshold": 1},
        {"keys": [], "threshold": 0},
        {"keys": [ANNA.public.text], "threshold": 0},
        {"keys": [ANNA.public.text], "threshold": 2},
        {"keys": [ANNA.public.text], "threshold": True},
        {"keys": [ANNA.public.text] * 2, "threshold": 2},
        {"keys": ["RW"], "threshold": 1},
        {"keys": [7], "threshold": 1},
        {"keys": [ANNA.public.text] * 100_000, "threshold": 1},
        {"pins": None},
        {"pins": []},
        {"pins": {}},
        {"pins": {"policy": []}},
        {"pins": {"policy": [{"host": "a.example"}]}},
    ],
)
def test_what_says_nothing_clear_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_bundle(changed(**changes))
    assert str(caught.value).startswith(("bundle", "signing keys", "minisign key"))
    assert str(caught.value).isprintable()


def test_keys_that_stand_twice_are_refused_at_every_depth() -> None:
    text = to_bundle_text(bundle())
    for key, doubled in (("version", '"version": 9,'), ("host", '"host": "evil.example",')):
        at = text.index(f'"{key}"')
        with pytest.raises(MalformedError, match="twice"):
            parse_bundle(text[:at] + doubled + text[at:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"bundle": 1, "signatures": []}',
        b'{"bundle": "", "signatures": {}}',
        b'{"bundle": "", "signatures": [1]}',
        b'{"bundle": "", "signatures": [], "keys": []}',
        b'{"bundle": "", "bundle": "", "signatures": []}',
        b'{"bundle": "\\ud800", "signatures": []}',
        b'{"bundle": "", "signatures": [], "chain": {}}',
        b'{"bundle": "", "signatures": [], "chain": [1]}',
        b'{"bundle": "", "signatures": [], "chain": [{"bundle": "", "signatures": [], "a": 1}]}',
        b'{"bundle": "", "signatures": [], "chain": ['
        + b",".join([b'{"bundle": "", "signatures": []}'] * 65)
        + b"]}",
        b'{"bundle": "", "signatures": [' + b",".join([b'""'] * 65) + b"]}",
        b'{"bundle": "", "signatures": []}' + b" " * LARGEST_FILE,
    ],
)
def test_what_is_no_bundle_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_bundle_file(data)


def test_a_signature_of_another_kind_is_passed_by() -> None:
    """So that one of a kind to come can stand beside those of today."""
    file = parse_bundle_file(json.dumps({"bundle": "x", "signatures": ["ml-dsa: …"]}))
    assert file.signed.unread == ("ml-dsa: …",)


def test_one_key_under_two_names_is_one_key() -> None:
    again = PublicKey(b"otherkey", ANNA.public.octets)
    with pytest.raises(MalformedError, match="twice"):
        KeySet((ANNA.public, again), 2)


def test_a_bundle_is_made_of_whole_seconds_of_utc() -> None:
    for issued in (
        ISSUED.replace(microsecond=1),
        ISSUED.replace(tzinfo=None),
        ISSUED.astimezone(timezone(timedelta(hours=1))),
    ):
        with pytest.raises(MalformedError):
            bundle(issued=issued)
