"""Opening an encrypted private key: PKCS#8 under PBES2 (RFC 5958 section 3, RFC 8018).

Not left to a library's loader, since that gives a key and not the bytes that were
encrypted, of which `private_key` needs the algorithm identifier; and since the cost of
the key derivation is set by the file, so that it is bounded here.
"""

from __future__ import annotations

import hashlib

from pinwarden.errors import ConfigError, MalformedError
from pinwarden.pinning.strict_der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    StrictReader,
)
from pinwarden.x509.der import oid_text

__all__ = ["open_sealed_key"]

_PBES2, _PBKDF2, _SCRYPT = (
    "1.2.840.113549.1.5.13",
    "1.2.840.113549.1.5.12",
    "1.3.6.1.4.1.11591.4.11",
)
_SHA1 = "1.2.840.113549.2.7"
_HASHES = {
    _SHA1: "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
# Octets of the key of AES in CBC mode.
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": 16,
    "2.16.840.1.101.3.4.1.22": 24,
    "2.16.840.1.101.3.4.1.42": 32,
}
_BLOCK = 16
# Seconds of work and half a gigabyte at most, whoever wrote the file.
_MOST_ROUNDS = 10_000_000
_MOST_MEMORY = 512 << 20

_HINT = "write it anew: openssl pkcs8 -topk8 -in FILE -out NEW-FILE"


def open_sealed_key(sealed: bytes, passphrase: bytes) -> bytes:
    """The PrivateKeyInfo inside an EncryptedPrivateKeyInfo in DER.

    Raises `MalformedError` for what is not PBES2 with PBKDF2 or scrypt and AES in CBC
    mode, or asks for too much work, and `ConfigError` for a wrong passphrase.
    """
    reader = StrictReader(sealed, "encrypted key").all_of(SEQUENCE)
    scheme = reader.enter(SEQUENCE, "encryptionAlgorithm")
    secret = reader.content(OCTET_STRING, "encryptedData")
    reader.ends()
    if _oid(scheme) != _PBES2:
        raise _unknown("scheme")
    parameters = scheme.enter(SEQUENCE, "parameters")
    derivation = parameters.enter(SEQUENCE, "keyDerivationFunc")
    cipher = parameters.enter(SEQUENCE, "encryptionScheme")
    size = _CIPHERS.get(_oid(cipher))
    if size is None:
        raise _unknown("cipher")
    vector = cipher.content(OCTET_STRING, "initialisation vector")
    if len(vector) != _BLOCK or not secret or len(secret) % _BLOCK:
        raise MalformedError("encrypted key: is not whole blocks of AES")
    opened = _decrypted(_derived(derivation, passphrase, size), vector, secret)
    return _whole_key(opened)


def _derived(derivation: StrictReader, passphrase: bytes, size: int) -> bytes:
    kind = _oid(derivation)
    parameters = derivation.enter(SEQUENCE, "parameters")
    if kind not in (_PBKDF2, _SCRYPT):
        raise _unknown("key derivation")
    salt = parameters.content(OCTET_STRING, "salt")
    if kind == _PBKDF2:
        rounds = _number(parameters)
        if parameters.next_tag() == INTEGER:
            _number(parameters)
        digest = _SHA1
        if parameters.next_tag() == SEQUENCE:
            digest = _oid(parameters.enter(SEQUENCE, "prf"))
        if digest not in _HASHES:
            raise _unknown("hash")
        if not 0 < rounds <= _MOST_ROUNDS:
            raise MalformedError(f"encrypted key: asks for {rounds} rounds of PBKDF2")
        return hashlib.pbkdf2_hmac(_HASHES[digest], passphrase, salt, rounds, size)
    n, r, p = _number(parameters), _number(parameters), _number(parameters)
    if n < 2 or n & (n - 1) or not r or not p or 128 * n * r * p > _MOST_MEMORY:
        raise MalformedError("encrypted key: asks for more work of scrypt than is sensible")
    try:
        return hashlib.scrypt(
            passphrase, salt=salt, n=n, r=r, p=p, maxmem=2 * _MOST_MEMORY, dklen=size
        )
    except (ValueError, MemoryError):
        raise MalformedError("encrypted key: has parameters that scrypt does not take") from None


def _decrypted(key: bytes, vector: bytes, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    return decryptor.update(secret) + decryptor.finalize()


def _whole_key(opened: bytes) -> bytes:
    """The key without its padding; a wrong passphrase gives noise, which is no key."""
    padding = opened[-1]
    inside = opened[:-padding]
    wrong = not 1 <= padding <= _BLOCK or opened[-padding:] != bytes((padding,)) * padding
    try:
        if wrong:
            raise MalformedError("padding")
        StrictReader(inside, "key").all_of(SEQUENCE)
    except MalformedError:
        raise ConfigError("encrypted key: is not opened by this passphrase") from None
    return inside


def _oid(reader: StrictReader) -> str:
    return oid_text(reader.content(OID, "type"))


def _number(reader: StrictReader) -> int:
    content = reader.content(INTEGER, "number")
    if not 0 < len(content) <= 8:
        raise MalformedError("encrypted key: holds a number that is out of all bounds")
    return int.from_bytes(content, "big", signed=True)


def _unknown(what: str) -> MalformedError:
    return MalformedError(f"encrypted key: uses a {what} that is not known here", hint=_HINT)
