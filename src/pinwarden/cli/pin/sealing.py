"""A private key sealed with a passphrase, in the form that every TLS program opens.

PKCS#8 (RFC 5958) under PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256, and AES-256 in CBC
mode. Written here because the number of rounds matters for passphrases that people
choose, and the usual 2,048 are three hundred times fewer than are advised now.
"""

from __future__ import annotations

import base64
import secrets
import textwrap

__all__ = ["seal"]

# OWASP's advice for PBKDF2 with HMAC-SHA-256.
_ROUNDS = 600_000
_SALT_OCTETS, _KEY_OCTETS, _BLOCK = 16, 32, 16
_SEQUENCE, _INTEGER, _OCTETS, _OID, _NULL = 0x30, 0x02, 0x04, 0x06, 0x05
# RFC 8018 appendix A.2 to A.4, and NIST's number for AES-256 in CBC mode.
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
_AES_256_CBC = bytes.fromhex("60864801650304012a")


def seal(key: bytes, passphrase: str) -> bytes:
    """A PKCS#8 key in DER as an encrypted one in PEM."""
    from cryptography.hazmat.primitives import hashes, padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    salt, iv = secrets.token_bytes(_SALT_OCTETS), secrets.token_bytes(_BLOCK)
    kdf = PBKDF2HMAC(hashes.SHA256(), length=_KEY_OCTETS, salt=salt, iterations=_ROUNDS)
    secret = kdf.derive(passphrase.encode("utf-8"))
    padder = padding.PKCS7(_BLOCK * 8).padder()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
    body = encryptor.update(padder.update(key) + padder.finalize()) + encryptor.finalize()
    der = _der(_SEQUENCE, _algorithm(salt, iv), _der(_OCTETS, body))
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    label = "ENCRYPTED PRIVATE KEY"
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def _algorithm(salt: bytes, iv: bytes) -> bytes:
    rounds = _ROUNDS.to_bytes(_ROUNDS.bit_length() // 8 + 1, "big")
    prf = _der(_SEQUENCE, _der(_OID, _HMAC_SHA256), _der(_NULL))
    parameters = _der(_SEQUENCE, _der(_OCTETS, salt), _der(_INTEGER, rounds), prf)
    derivation = _der(_SEQUENCE, _der(_OID, _PBKDF2), parameters)
    encryption = _der(_SEQUENCE, _der(_OID, _AES_256_CBC), _der(_OCTETS, iv))
    return _der(_SEQUENCE, _der(_OID, _PBES2), _der(_SEQUENCE, derivation, encryption))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
