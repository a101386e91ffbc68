"""Entries made for the tests of entries and batches, over both protocols."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pinwarden.ct.entry import (
    Entry,
    EntryType,
    encode_extra_data,
    encode_leaf,
    encode_leaf_index,
    encode_tile_leaf,
    parse_get_entries,
)
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import logged_tbs

TIME_MS = 1_767_139_200_123
START = datetime(2026, 1, 1, tzinfo=UTC)
PRINTS = (sha256(b"issuer").digest(), sha256(b"root").digest())
PRECERT_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.4")


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


CA_KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def certificate(
    subject: str,
    issuer: str = "CA",
    *,
    key: ec.EllipticCurvePrivateKey = OTHER_KEY,
    extensions: Sequence[x509.ExtensionType] = (),
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=90))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(CA_KEY, SHA256()).public_bytes(Encoding.DER)


CA = certificate("CA", key=CA_KEY)
SIGNER = certificate("signer", extensions=[x509.ExtendedKeyUsage([PRECERT_SIGNING])])
CERT = certificate("www.example.com")
PRECERT = certificate("www.example.com", extensions=[x509.PrecertPoison()])
TBS = logged_tbs(view_certificate(PRECERT).tbs)
KEY_HASH = view_certificate(CA).spki_hash


def x509_leaf(index: int | None = None, timestamp_ms: int = TIME_MS) -> bytes:
    extensions = b"" if index is None else encode_leaf_index(index)
    return encode_leaf(timestamp_ms, EntryType.X509, CERT, None, extensions)


def precert_leaf(index: int | None = None, tbs: bytes = TBS, key_hash: bytes = KEY_HASH) -> bytes:
    extensions = b"" if index is None else encode_leaf_index(index)
    return encode_leaf(TIME_MS, EntryType.PRECERT, tbs, key_hash, extensions)


def get_entries(*pairs: tuple[bytes, object]) -> bytes:
    entries = []
    for leaf, extra in pairs:
        shown = base64.b64encode(extra).decode() if isinstance(extra, bytes) else extra
        entries.append({"leaf_input": base64.b64encode(leaf).decode(), "extra_data": shown})
    return json.dumps({"entries": entries}).encode()


X509_EXTRA = encode_extra_data(EntryType.X509, None, [CA])
PRECERT_EXTRA = encode_extra_data(EntryType.PRECERT, PRECERT, [CA])


def one_entry(leaf: bytes, extra: object) -> Entry:
    return parse_get_entries(get_entries((leaf, extra)), 5).entry(5)


def tile_of(count: int, first: int = 0) -> bytes:
    parts = []
    for index in range(first, first + count):
        if index % 3:
            parts.append(encode_tile_leaf(precert_leaf(index), PRECERT, PRINTS))
        else:
            parts.append(encode_tile_leaf(x509_leaf(index), None, PRINTS[: index % 2]))
    return b"".join(parts)
