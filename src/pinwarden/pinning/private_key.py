"""The SubjectPublicKeyInfo that certificates for a private key will hold.

A pin made from a private key is right only if a CA later puts these very bytes into the
certificate. For some keys that cannot be known from the key: a point may be compressed
or not, a curve named or spelt out. Libraries choose one form in silence; here such keys
are refused, and the request or certificate is asked for, which has the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinwarden.errors import MalformedError
from pinwarden.pinning.spki import RSA_ENCRYPTION, strict_spki
from pinwarden.pinning.strict_der import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    StrictReader,
)
from pinwarden.x509.der import encode_tlv

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers

__all__ = ["spki_of_private_key"]

_ATTRIBUTES, _PUBLIC_KEY = 0xA0, 0x81
_EC_PARAMETERS, _EC_POINT = 0xA0, 0xA1
_UNCOMPRESSED = 4
# id-ecPublicKey (RFC 5480 section 2.1.1) and id-RSASSA-PSS (RFC 8017 appendix A.2.3).
_EC_KEY = bytes.fromhex("06072a8648ce3d0201")
_RSA_PSS = bytes.fromhex("06092a864886f70d01010a")

# A key of RSA with 16384 bits has ten.
_LONGEST = 16 << 10
_HINT = "use the certificate or the certification request"


def spki_of_private_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a private key: PKCS#8 (RFC 5958), PKCS#1 or SEC 1.

    The algorithm identifier of PKCS#8 is taken byte for byte. Raises `MalformedError`
    for a key that cannot be read, or of which the certificate's bytes cannot be foretold.
    """
    reader = StrictReader(der, "private key").all_of(SEQUENCE)
    reader.skip(INTEGER, "version")
    algorithm = None
    if reader.next_tag() == SEQUENCE:
        algorithm = reader.take(SEQUENCE, "algorithm")
        inside = reader.content(OCTET_STRING, "privateKey")
        for tag in (_ATTRIBUTES, _PUBLIC_KEY):
            if reader.next_tag() == tag:
                reader.skip(tag, "attributes")
        reader.ends()
        if _EC_KEY in algorithm[:13]:
            _refuse_odd_points(inside)
    elif reader.next_tag() == OCTET_STRING:
        _refuse_odd_points(der)
    return _matching(_derived(der), algorithm)


def _derived(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo as cryptography derives it, in the form that it prefers."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_private_key,
    )

    if len(der) > _LONGEST:
        raise MalformedError("private key: is larger than 16 KiB", hint=_HINT)
    try:
        # The library's validation looks for primes, for minutes if the file wants it so.
        private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
        if isinstance(private, RSAPrivateKey):
            _refuse_inconsistent(private.private_numbers())
        return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm, AttributeError):
        raise MalformedError("private key: is not one that can be read", hint=_HINT) from None


def _refuse_inconsistent(key: RSAPrivateNumbers) -> None:
    """The public half must be that of the private one (RFC 8017 section 3.2)."""
    n, e = key.public_numbers.n, key.public_numbers.e
    factors = (key.p, key.q)
    if key.p * key.q != n or min(factors) < 3 or any(e * key.d % (p - 1) != 1 for p in factors):
        raise ValueError("the parts do not belong together")


def _matching(derived: bytes, algorithm: bytes | None) -> bytes:
    """The derived value, under the key's own algorithm identifier if it has one."""
    reader = StrictReader(derived, "public key").all_of(SEQUENCE)
    usual = reader.take(SEQUENCE, "algorithm")
    if algorithm is None or algorithm == usual:
        return strict_spki(derived)
    if usual == RSA_ENCRYPTION and _oid_of(algorithm) == _RSA_PSS:
        return strict_spki(encode_tlv(SEQUENCE, algorithm + reader.take(BIT_STRING, "key")))
    raise MalformedError(
        "private key: does not tell how certificates name its algorithm", hint=_HINT
    )


def _oid_of(algorithm: bytes) -> bytes:
    return StrictReader(algorithm, "algorithm").all_of(SEQUENCE).take(OID, "type")


def _refuse_odd_points(ec_private_key: bytes) -> None:
    """Refuse ECPrivateKey (RFC 5915) whose certificate may hold another form than is usual."""
    reader = StrictReader(ec_private_key, "EC private key").all_of(SEQUENCE)
    reader.skip(INTEGER, "version")
    reader.skip(OCTET_STRING, "privateKey")
    if (
        reader.next_tag() == _EC_PARAMETERS
        and reader.enter(_EC_PARAMETERS, "parameters").next_tag() != OID
    ):
        raise MalformedError("EC private key: spells out its curve", hint=_HINT)
    if reader.next_tag() == _EC_POINT:
        point = reader.enter(_EC_POINT, "publicKey").content(BIT_STRING, "publicKey")
        if point[1:2] != bytes((_UNCOMPRESSED,)):
            raise MalformedError(
                "EC private key: holds a compressed point, which certificates for it may not",
                hint=_HINT,
            )
    reader.ends()
