"""Tree heads: what a log's key signed, in either form, and nothing near it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.head import (
    Head,
    LogID,
    LogKey,
    SignatureAlgorithm,
    checkpoint_key_id,
    encode_checkpoint,
    encode_digitally_signed,
    encode_sth_json,
    parse_checkpoint,
    parse_sth,
    signed_input,
    tree_head_input,
    verify_head,
)
from pinwarden.ct.merkle import RootHash, leaf_hash
from pinwarden.errors import BadSignatureError, MalformedError, PinwardenError

ORIGIN = "log.example/2026h1"
ROOT = RootHash(leaf_hash(b"a tree"))
SIZE = 70_000
TIME_MS = 1_767_139_200_123

EC_PRIVATE = ec.generate_private_key(ec.SECP256R1())
RSA_PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def der(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


KEY = LogKey(der(EC_PRIVATE))
RSA_KEY = LogKey(der(RSA_PRIVATE))


def sign(size: int = SIZE, root: RootHash = ROOT, timestamp_ms: int = TIME_MS) -> bytes:
    signature = EC_PRIVATE.sign(tree_head_input(size, root, timestamp_ms), ec.ECDSA(SHA256()))
    return encode_digitally_signed(SignatureAlgorithm.ECDSA, signature)


SIGNATURE = sign()
STH = encode_sth_json(SIZE, ROOT, TIME_MS, SIGNATURE)
CHECKPOINT = encode_checkpoint(ORIGIN, SIZE, ROOT, TIME_MS, SIGNATURE, KEY.log_id)


def read_checkpoint(raw: bytes) -> Head:
    return parse_checkpoint(raw, ORIGIN, KEY.log_id)


def test_both_forms_say_the_same() -> None:
    """An STH and a checkpoint of one head must differ in their bytes only."""
    sth, checkpoint = parse_sth(STH), read_checkpoint(CHECKPOINT)
    assert (sth.raw, sth.source) == (STH, "sth")
    assert (checkpoint.raw, checkpoint.source) == (CHECKPOINT, "checkpoint")
    assert sth == replace(checkpoint, raw=STH, source="sth")
    assert (sth.size, sth.root, sth.timestamp_ms) == (SIZE, ROOT, TIME_MS)
    assert sth.timestamp == datetime(2025, 12, 31, 0, 0, 0, 123000, tzinfo=UTC)
    verify_head(sth, KEY)
    verify_head(checkpoint, KEY)


def test_signed_bytes() -> None:
    """A log signs 50 bytes: version, kind, time, size, root (RFC 6962 section 3.5)."""
    expected = (
        "0001" + TIME_MS.to_bytes(8, "big").hex() + SIZE.to_bytes(8, "big").hex() + ROOT.hex()
    )
    assert expected == signed_input(parse_sth(STH)).hex()


def test_key_id_of_a_real_log() -> None:
    """The key ID of Sycamore 2024h2 must be the one in its checkpoints."""
    log_id = LogID(
        bytes.fromhex("494d9049b8af3e5acaba993e4c1f3056737aa9f96d00f7b0b9b25106f7be1a8f")
    )
    assert checkpoint_key_id("sycamore.ct.letsencrypt.org/2024h2", log_id).hex() == "3dd9086a"


def test_rsa_logs() -> None:
    """A head signed with RSA must verify under that key, and under no ECDSA key."""
    value = RSA_PRIVATE.sign(tree_head_input(SIZE, ROOT, TIME_MS), padding.PKCS1v15(), SHA256())
    signature = encode_digitally_signed(SignatureAlgorithm.RSA, value)
    head = parse_sth(encode_sth_json(SIZE, ROOT, TIME_MS, signature))
    verify_head(head, RSA_KEY)
    with pytest.raises(BadSignatureError):
        verify_head(head, KEY)
    with pytest.raises(BadSignatureError):
        verify_head(parse_sth(STH), RSA_KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"size": SIZE + 1},
        {"root": RootHash(leaf_hash(b"another tree"))},
        {"timestamp_ms": TIME_MS - 1},
        {"signature": b""},
        {"signature": SIGNATURE[:-1]},
        {"signature": SIGNATURE + b"\x00"},
        {"signature": b"\x02" + SIGNATURE[1:]},
        {"signature": SIGNATURE[:1] + b"\x01" + SIGNATURE[2:]},
        {"signature": SIGNATURE[:2] + b"\x00\x00"},
    ],
)
def test_any_change_breaks_the_signature(change: dict[str, object]) -> None:
    """Each field is covered, and a malformed signature is a bad one."""
    with pytest.raises(BadSignatureError, match="tree head of"):
        verify_head(replace(parse_sth(STH), **change), KEY)  # type: ignore[arg-type]


@given(st.integers(0, 8 * len(CHECKPOINT) - 1))
def test_any_flipped_bit_of_a_checkpoint_is_noticed(bit: int) -> None:
    """Whichever bit an attacker flips, the checkpoint must not verify."""
    raw = bytearray(CHECKPOINT)
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PinwardenError):
        verify_head(read_checkpoint(bytes(raw)), KEY)


@given(
    st.sampled_from(["tree_size", "timestamp", "sha256_root_hash", "tree_head_signature"]),
    st.data(),
)
def test_any_flipped_bit_of_an_sth_is_noticed(field: str, data: st.DataObject) -> None:
    """One wrong bit in any field must be malformed or a bad signature."""
    sth = json.loads(STH)
    if isinstance(sth[field], int):
        sth[field] ^= 1 << data.draw(st.integers(0, 63))
    else:
        value = bytearray(base64.b64decode(sth[field]))
        bit = data.draw(st.integers(0, 8 * len(value) - 1))
        value[bit // 8] ^= 1 << bit % 8
        sth[field] = base64.b64encode(bytes(value)).decode()
    with pytest.raises(PinwardenError):
        verify_head(parse_sth(json.dumps(sth).encode()), KEY)


def with_field(name: str, value: object) -> bytes:
    return json.dumps({**json.loads(STH), name: value}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        STH + b"x",
        STH[:-1],
        b"\xff" + STH,
        b"[" * 100_000,
        with_field("tree_size", -1),
        with_field("tree_size", 1 << 64),
        with_field("tree_size", 1.5),
        with_field("tree_size", "1"),
        with_field("timestamp", -1),
        with_field("timestamp", 1 << 63),
        with_field("timestamp", None),
        with_field("sha256_root_hash", ""),
        with_field("sha256_root_hash", "AAAA"),
        with_field("sha256_root_hash", "\u00e9"),
        with_field("tree_head_signature", "A"),
        with_field("tree_head_signature", 7),
    ],
)
def test_what_is_no_sth_is_refused(raw: bytes) -> None:
    """Each departure from RFC 6962 section 4.3 must be our error."""
    with pytest.raises(MalformedError):
        parse_sth(raw)


def test_unknown_fields_of_an_sth_are_ignored() -> None:
    """Logs add fields of their own, which must not cost the head."""
    verify_head(parse_sth(with_field("log_id", "AAAA")), KEY)


def lines_of(raw: bytes) -> list[bytes]:
    return raw.splitlines(keepends=True)


def test_other_signatures_are_ignored() -> None:
    """Signatures of witnesses, and the log's own with other keys, must not matter."""
    lines = lines_of(CHECKPOINT)
    strangers = [
        "\u2014 witness.example AAAAAAA=\n".encode() * 20,
        f"\u2014 {ORIGIN} AAAAAAA=\n".encode(),
        lines[-1].replace(ORIGIN.encode(), b"other.example"),
    ]
    head = read_checkpoint(b"".join([*lines[:-1], *strangers, lines[-1], *strangers]))
    verify_head(head, KEY)


def test_checkpoint_of_another_log_is_refused() -> None:
    """The origin is not signed, so it must be compared, in the text and in the line."""
    other = CHECKPOINT.replace(ORIGIN.encode(), b"other.example", 1)
    with pytest.raises(MalformedError, match=r"'other\.example', not of 'log"):
        read_checkpoint(other)
    with pytest.raises(MalformedError, match="0 signatures"):
        parse_checkpoint(CHECKPOINT, ORIGIN, RSA_KEY.log_id)
    lines = lines_of(CHECKPOINT)
    lines[-1] = lines[-1].replace(ORIGIN.encode(), b"other.example")
    with pytest.raises(MalformedError, match="0 signatures"):
        read_checkpoint(b"".join(lines))


def test_two_signatures_by_the_log_are_refused() -> None:
    """Two times for one head leave open which was promised."""
    lines = lines_of(CHECKPOINT)
    later = encode_checkpoint(
        ORIGIN, SIZE, ROOT, TIME_MS + 1, sign(timestamp_ms=TIME_MS + 1), KEY.log_id
    )
    with pytest.raises(MalformedError, match="2 signatures"):
        read_checkpoint(b"".join([*lines, lines_of(later)[-1]]))


def test_extension_lines_are_refused() -> None:
    """The signature does not cover extension lines, so there may be none."""
    lines = lines_of(CHECKPOINT)
    lines.insert(3, b"extension\n")
    with pytest.raises(MalformedError, match="extension lines"):
        read_checkpoint(b"".join(lines))


def test_short_signature_of_the_log_is_refused() -> None:
    """A line with a key ID and no time must be malformed."""
    short = base64.b64encode(checkpoint_key_id(ORIGIN, KEY.log_id) + b"\x00")
    lines = lines_of(CHECKPOINT)
    lines[-1] = f"\u2014 {ORIGIN} ".encode() + short + b"\n"
    with pytest.raises(MalformedError, match="ends too early"):
        read_checkpoint(b"".join(lines))


def test_timestamp_without_a_signature_is_a_bad_signature() -> None:
    """A line with a time and no signature must parse and never verify."""
    empty = encode_checkpoint(ORIGIN, SIZE, ROOT, TIME_MS, b"", KEY.log_id)
    with pytest.raises(BadSignatureError):
        verify_head(read_checkpoint(empty), KEY)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda at, cut, new: CHECKPOINT[:at] + new + CHECKPOINT[at + cut :],
            st.integers(0, len(CHECKPOINT)),
            st.integers(0, 20),
            st.binary(max_size=8),
        ),
        st.builds(
            lambda at, cut, new: STH[:at] + new + STH[at + cut :],
            st.integers(0, len(STH)),
            st.integers(0, 20),
            st.binary(max_size=8),
        ),
    )
)
def test_any_bytes_are_a_head_or_refused(raw: bytes) -> None:
    """Any answer of a log must give a head or an error of ours."""
    for parse in (parse_sth, read_checkpoint):
        try:
            head = parse(raw)
            assert head.raw == raw
            verify_head(head, KEY)
        except PinwardenError:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    """A key in a log list must be a key or an error of ours."""
    for candidate in (data, KEY.der[: len(data)] + data, data + KEY.der[len(data) :]):
        try:
            assert LogKey(candidate).der == candidate
        except PinwardenError:
            continue


def test_keys_no_log_may_have_are_refused() -> None:
    """Other curves, other algorithms and short RSA keys must be refused (RFC 6962 2.1.4)."""
    for private in (
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        dsa.generate_private_key(1024),
    ):
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(MalformedError, match="neither"):
            LogKey(public)


def test_trailing_bytes_after_a_key_are_refused() -> None:
    """A log ID is the hash of the key, so one key must not have many encodings."""
    with pytest.raises(MalformedError):
        LogKey(KEY.der + b"\x00")
