"""Encrypted private keys: opened as they were closed, and never at any price."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import ConfigError, MalformedError, PinwardenError
from pinwarden.pinning.pem import pem_blocks
from pinwarden.pinning.sealed_key import open_sealed_key
from support import openssl_keys as made
from support.pin_samples import key
from x509.der_writer import oid, seq, tlv

AES, RC2 = "2.16.840.1.101.3.4.1.42", "1.2.840.113549.3.2"
PBES2, PBKDF2, SCRYPT = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
SHA256, MD5 = "1.2.840.113549.2.9", "1.2.840.113549.2.5"
OPENED = key("www").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
SEALED = key("www").private_bytes(
    Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
)


def number(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sealed(
    *derivation: bytes,
    kind: str = PBKDF2,
    cipher: str = AES,
    scheme: str = PBES2,
    vector: int = 16,
    secret: bytes = bytes(32),
) -> bytes:
    parameters = seq(
        seq(oid(kind), seq(tlv(4, b"salt"), *derivation)),
        seq(oid(cipher), tlv(4, bytes(vector))),
    )
    return seq(seq(oid(scheme), parameters), tlv(4, secret))


def prf(kind: str) -> bytes:
    return seq(oid(kind), tlv(5))


def test_what_was_closed_is_opened_to_the_same_bytes() -> None:
    assert open_sealed_key(SEALED, b"secret") == OPENED


@made.needs_openssl
@pytest.mark.parametrize(
    "how",
    [
        "",
        "-scrypt",
        "-scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 4",
        "-iter 1",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v2 aes-192-cbc -v2prf hmacWithSHA512",
        "-v2 aes-256-cbc -v2prf hmacWithSHA384",
    ],
)
def test_openssls_ways_are_known(how: str) -> None:
    plain = made.openssl("pkcs8 -topk8 -nocrypt", made.private_key("ed25519"))
    closed = made.openssl(f"pkcs8 -topk8 -passout pass:päss {how}", plain)
    opened = open_sealed_key(pem_blocks(closed)[0].data, "päss".encode())
    assert opened == pem_blocks(plain)[0].data


@made.needs_openssl
@pytest.mark.parametrize("how", ["-v1 PBE-SHA1-3DES", "-v2 des3", "-v2 camellia-256-cbc"])
def test_other_ways_are_refused_with_what_to_do(how: str) -> None:
    closed = made.openssl(f"pkcs8 -topk8 -passout pass:x {how}", made.private_key("ed25519"))
    with pytest.raises(MalformedError, match="that is not known here") as caught:
        open_sealed_key(pem_blocks(closed)[0].data, b"x")
    assert "openssl pkcs8 -topk8" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("closed", "told"),
    [
        (sealed(number(2**31)), "asks for 2147483648 rounds of PBKDF2"),
        (sealed(number(10_000_001)), "asks for 10000001 rounds"),
        (sealed(number(0)), "asks for 0 rounds"),
        (sealed(tlv(2, b"\xff")), "asks for -1 rounds"),
        (sealed(number(2**80)), "a number that is out of all bounds"),
        (sealed(tlv(2)), "a number that is out of all bounds"),
        (sealed(number(1), prf(MD5)), "a hash that is not known here"),
        (sealed(number(1), kind=SHA256), "a key derivation that is not known here"),
        (sealed(number(1), cipher=RC2), "a cipher that is not known here"),
        (sealed(number(1), scheme=AES), "a scheme that is not known here"),
        (sealed(number(1), vector=15), "is not whole blocks of AES"),
        (sealed(number(1), secret=b""), "is not whole blocks of AES"),
        (sealed(number(1), secret=bytes(31)), "is not whole blocks of AES"),
        (sealed(number(2**30), number(8), number(1), kind=SCRYPT), "more work of scrypt"),
        (sealed(number(2), number(2**30), number(1), kind=SCRYPT), "more work of scrypt"),
        (sealed(number(2), number(1), number(2**40), kind=SCRYPT), "more work of scrypt"),
        (sealed(number(1000), number(8), number(1), kind=SCRYPT), "more work of scrypt"),
        (sealed(number(1024), number(0), number(1), kind=SCRYPT), "more work of scrypt"),
        (sealed(number(1024), number(8), kind=SCRYPT), "ends before its number"),
        (SEALED + b"\0", "holds more than it should"),
        (OPENED, "encrypted key: has tag"),
        (b"", "encrypted key: ends before"),
    ],
)
def test_what_would_cost_too_much_or_makes_no_sense_is_refused(closed: bytes, told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        open_sealed_key(closed, b"secret")
    assert told in str(caught.value)


@pytest.mark.parametrize("padding", [b"\x01" * 5 + b"\x06", b"\0", b"\x11" * 17])
def test_padding_is_as_pkcs5_has_it(padding: bytes) -> None:
    """RFC 8018 section 6.1.1: so many octets, each of which says how many."""
    key_of_aes = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1, 32)
    inside = seq(tlv(4, bytes(64 - 4 - len(padding))))
    encryptor = Cipher(algorithms.AES(key_of_aes), modes.CBC(bytes(16))).encryptor()
    secret = encryptor.update(inside + padding) + encryptor.finalize()
    with pytest.raises(ConfigError, match="is not opened by this passphrase"):
        open_sealed_key(sealed(number(1), prf(SHA256), secret=secret), b"secret")


@given(st.binary(max_size=20))
def test_no_other_passphrase_opens_it(passphrase: bytes) -> None:
    cheap = sealed(number(1), prf(SHA256))
    if passphrase != b"secret":
        with pytest.raises(ConfigError, match="is not opened by this passphrase"):
            open_sealed_key(cheap, passphrase)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_flipped_bits_are_noticed_or_opened(at: int, bits: int) -> None:
    """CBC proves nothing: what is flipped may open, to bytes that the key reader refuses."""
    data = bytearray(SEALED)
    data[at] ^= bits
    try:
        opened = open_sealed_key(bytes(data), b"secret")
    except PinwardenError:
        return
    assert opened[:1] == b"0"
