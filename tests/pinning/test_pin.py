"""Pins in their text forms, and everything that looks like one and is none."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning.pin import BadPin, Pin, PinError, parse_pin
from pinwarden.x509.certificate import SPKIHash

DIGEST = hashlib.sha256(b"a key").digest()
B64 = base64.b64encode(DIGEST).decode()
COLONS = DIGEST.hex(":").upper()


@pytest.mark.parametrize(
    "text",
    [
        B64,
        f"sha256//{B64}",
        f"sha256/{B64}",
        f"sha256:{B64}",
        f"SHA-256={B64}",
        f'pin-sha256="{B64}"',
        f'PIN-SHA256 = "{B64}"',
        DIGEST.hex(),
        DIGEST.hex().upper(),
        f"sha256:{DIGEST.hex()}",
        f"  sha256//{B64}\n",
    ],
)
def test_every_form_is_the_same_pin(text: str) -> None:
    assert parse_pin(text) == Pin(SPKIHash(DIGEST))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", BadPin.MALFORMED),
        ("sha256//", BadPin.MALFORMED),
        (B64.rstrip("="), BadPin.MALFORMED),
        (B64 + "=", BadPin.MALFORMED),
        (B64[:20] + "\n" + B64[20:], BadPin.MALFORMED),
        (base64.urlsafe_b64encode(b"\xff" * 3 + DIGEST[3:]).decode(), BadPin.MALFORMED),
        # The last character holds bits that nobody reads.
        (B64[:42] + chr(ord(B64[42]) + 1) + "=", BadPin.MALFORMED),
        (f"sha256//{B64};sha256//{B64}", BadPin.MALFORMED),
        (DIGEST.hex()[:-1], BadPin.MALFORMED),
        (base64.b64encode(DIGEST[:-1]).decode(), BadPin.MALFORMED),
        (base64.b64encode(DIGEST + b"1").decode(), BadPin.MALFORMED),
        (f"sha512/{B64}", BadPin.MALFORMED),
        (f'pin-sha384="{B64}"', BadPin.MALFORMED),
        ("x" * 1000, BadPin.MALFORMED),
        ("sha1/DmxUShsZuNiqPQsX2Oi9uv2sCnw=", BadPin.WEAK_HASH),
        ("DmxUShsZuNiqPQsX2Oi9uv2sCnw=", BadPin.WEAK_HASH),
        ("md5/DmxUShsZuNiqPQsX2Oi9uv2sCnw=", BadPin.WEAK_HASH),
        (f'pin-sha1="{B64}"', BadPin.WEAK_HASH),
        (COLONS, BadPin.CERTIFICATE_HASH),
        (COLONS.replace(":", " "), BadPin.CERTIFICATE_HASH),
        (f"sha256 Fingerprint={COLONS}", BadPin.CERTIFICATE_HASH),
        (f"SHA256:{COLONS.lower()}", BadPin.CERTIFICATE_HASH),
        ("A" * 43 + "=", BadPin.PLACEHOLDER),
        ("AB" * 21 + "A=", BadPin.PLACEHOLDER),
        ("sha256/" + "B" * 43 + "=", BadPin.PLACEHOLDER),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq=", BadPin.PLACEHOLDER),
        (bytes(range(32)).hex(), BadPin.PLACEHOLDER),
        ("0123456789abcdef" * 4, BadPin.PLACEHOLDER),
        ("00" * 32, BadPin.PLACEHOLDER),
        (hashlib.sha256(b"").hexdigest(), BadPin.PLACEHOLDER),
        ("sha256/YOUR_PIN_HERE=", BadPin.PLACEHOLDER),
        ("sha256//...", BadPin.PLACEHOLDER),
        ("ReplaceThisByTheHashOfYourOwnKeyPleaseDoItA=", BadPin.PLACEHOLDER),
        (base64.b64encode(b"this is where the pin belongs!!!").decode(), BadPin.PLACEHOLDER),
    ],
)
def test_what_can_never_match_is_refused(text: str, why: BadPin) -> None:
    with pytest.raises(PinError) as caught:
        parse_pin(text)
    assert caught.value.why is why
    assert str(caught.value).isprintable()


@given(st.binary())
def test_every_hash_of_a_key_goes_through_every_form(key: bytes) -> None:
    pin = Pin.of_spki(key)
    assert pin.spki_sha256 == hashlib.sha256(key).digest()
    for form in (pin.curl, pin.okhttp, pin.hpkp, pin.hex, pin.base64, str(pin)):
        if not pin.is_placeholder:
            assert parse_pin(form) == pin


@given(st.text(max_size=80) | st.from_regex(r"sha256/+[A-Za-z0-9+/=]{40,46}", fullmatch=True))
def test_any_text_is_a_pin_or_our_error(text: str) -> None:
    try:
        pin = parse_pin(text)
    except PinError as error:
        shown = str(error)
    else:
        shown = "a pin"
        assert pin.base64 in text or pin.hex in text.lower()
    assert shown.isprintable()


def test_a_slash_at_the_beginning_is_part_of_the_hash() -> None:
    """One pin in 64 begins with one, and `sha256//` is then OkHttp's form, not curl's."""
    pin = next(each for each in map(Pin.of_spki, map(bytes, range(1, 999))) if each.hex[:2] > "fb")
    assert pin.base64.startswith("/")
    assert parse_pin(pin.okhttp) == parse_pin(pin.curl) == parse_pin(pin.base64) == pin


def test_a_pin_has_32_octets() -> None:
    with pytest.raises(PinError, match="31 octets"):
        Pin(SPKIHash(DIGEST[1:]))


def test_the_words_of_the_form_are_right() -> None:
    pin = parse_pin(B64)
    assert pin.curl == f"sha256//{B64}"
    assert pin.okhttp == f"sha256/{B64}"
    assert pin.hpkp == f'pin-sha256="{B64}"'
    assert pin.hex == DIGEST.hex()
