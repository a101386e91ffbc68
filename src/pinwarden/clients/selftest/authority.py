"""Certificates for one run: an authority that issues one for the loopback address."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

__all__ = ["HOST", "Authority", "new_authority"]

HOST = "127.0.0.1"
_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """A root in DER, and a context that serves what it issued."""

    root: bytes
    serving: ssl.SSLContext


def new_authority(name: str) -> Authority:
    """Its keys are on P-256, live for a day, and are written nowhere but for a moment."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name(f"Pinwarden self-test: {name}")
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    usage = x509.KeyUsage(
        **dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    )
    root = (
        _builder(root_name, root_name, root_key, root_key)
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address(HOST)), x509.DNSName("localhost")]
    )
    leaf = (
        _builder(_name(HOST), root_name, key, root_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Authority(root.public_bytes(der), _context(leaf.public_bytes(pem) + secret))


_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def _name(text: str) -> Any:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _builder(subject: Any, issuer: Any, key: Any, issuer_key: Any) -> Any:
    from cryptography import x509

    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFETIME)
        .not_valid_after(now + _LIFETIME)
        .add_extension(identifier, critical=False)
        .add_extension(above, critical=False)
    )


def _context(credentials: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The ssl module takes files only; the folder is this user's.
    with tempfile.TemporaryDirectory(prefix="pinwarden-selftest-") as folder:
        file = Path(folder) / "credentials.pem"
        file.write_bytes(credentials)
        context.load_cert_chain(file)
    return context
