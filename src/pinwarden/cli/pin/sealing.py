"""A private key sealed with a passphrase, in the form that every TLS program opens.

PKCS#8 (RFC 5958) under PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256, and AES-256 in CBC
mode. Written here because the number of rounds matters for passphrases that people
choose, and the usual 2,048 are three hundred times fewer than are advised now.
"""

from __future__ import annotations

import secrets

from pinwarden.pinning.pem import pem_text
from pinwarden.pinning.strict_der import INTEGER, OCTET_STRING, OID, SEQUENCE
from pinwarden.x509.der import encode_tlv

__all__ = ["seal"]

# OWASP's advice for PBKDF2 with HMAC-SHA-256.
_ROUNDS = 600_000
_SALT_OCTETS, _KEY_OCTETS, _BLOCK = 16, 32, 16
_NULL = encode_tlv(0x05, b"")
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
    sealed = encode_tlv(SEQUENCE, _algorithm(salt, iv) + encode_tlv(OCTET_STRING, body))
    return pem_text("ENCRYPTED PRIVATE KEY", sealed).encode("ascii")


def _algorithm(salt: bytes, iv: bytes) -> bytes:
    """AES-256 in CBC mode with a key derived by PBKDF2 (RFC 8018 appendix A.4)."""
    rounds = _ROUNDS.to_bytes(_ROUNDS.bit_length() // 8 + 1, "big")
    prf = encode_tlv(SEQUENCE, encode_tlv(OID, _HMAC_SHA256) + _NULL)
    parameters = encode_tlv(OCTET_STRING, salt) + encode_tlv(INTEGER, rounds) + prf
    derivation = encode_tlv(OID, _PBKDF2) + encode_tlv(SEQUENCE, parameters)
    encryption = encode_tlv(OID, _AES_256_CBC) + encode_tlv(OCTET_STRING, iv)
    schemes = encode_tlv(SEQUENCE, derivation) + encode_tlv(SEQUENCE, encryption)
    return encode_tlv(SEQUENCE, encode_tlv(OID, _PBES2) + encode_tlv(SEQUENCE, schemes))
