"""minisign's keys and signatures: what verifies, what does not, and how files are written."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.pinning.minisign import PublicKey, parse_public_key, parse_signature
from pinwarden.pinning.minisign_secret import (
    USUAL_COST,
    Cost,
    SecretKey,
    WrongPassphraseError,
    parse_secret_key,
)
from support.pin_bundles import ANNA, BERT, CHEAP

MESSAGE = b"which pins to believe\n"
COMMENTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=40)

# Made by minisign 0.11: a key without a passphrase, and its signatures of b"hello\n".
FOREIGN_PUBLIC = "RWTwrm1ekqV71rxw3N6tVoHTSsIbvLqu+uSianes5n7X4Ixwb2QyGIou"
FOREIGN_SECRET = (
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8K5tXpKle9bee2PU"
    "v7nCI00hOUqmDIuLC43b1mgqJVSGgbIK1X7nZ7xw3N6tVoHTSsIbvLqu+uSianes5n7X4Ixwb2QyGIouAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
)
FOREIGN_SIGNATURE = (
    "untrusted comment: signature from minisign secret key\n"
    "RUTwrm1ekqV71gWkWNpm+zNiB2oybdPHH75duXt+BIY790qP8Fxkiop1mUjA+aE2nX40jhBtrrNdM1LoYr06W/DDlL1k"
    "NYZGFQk=\n"
    "trusted comment: trusted ä\n"
    "eR8J8469JfFNIy5KOiwFzTKZZDR6f/lSwzfl14C40b85aetBijjnxP4jMFIva8eiAlPkVSjCMY/cJrMPdASoCw==\n"
)
FOREIGN_OLD_SIGNATURE = (
    "untrusted comment: signature from minisign secret key\n"
    "RWTwrm1ekqV71r1IeQfaQx0ApgePY2Z2OoKl+Iu5kkt/YHGGW0qdWperzfoOzwi0VH4lhZ0hnD4Dna+sGO3XtQefRId7"
    "SxJcyAs=\n"
    "trusted comment: timestamp:1795520960\tfile:m\n"
    "AylV8RSJoiNH40n/vB9w1IR6hDBwMezMYvgvzwIRB/92d2OibzoTEv1U97yHG/pgr1rKRrUi2qzgYiCHLLo7DA==\n"
)


def test_what_minisign_wrote_is_read() -> None:
    key = parse_public_key(FOREIGN_PUBLIC)
    assert key.shown_id == "D67BA5925E6DAEF0"
    assert key == parse_public_key(key.file_text)
    signature = parse_signature(FOREIGN_SIGNATURE)
    signature.verify(b"hello\n", key)
    assert signature.trusted_comment == "trusted ä"
    assert signature.text == FOREIGN_SIGNATURE
    assert parse_signature(FOREIGN_SIGNATURE.replace("\n", "\r\n")) == signature
    assert parse_secret_key(FOREIGN_SECRET).open().public == key


def test_the_old_kind_of_signature_is_refused() -> None:
    """Its algorithm is not signed, so that it could pass for one over another text."""
    with pytest.raises(MalformedError, match="old kind"):
        parse_signature(FOREIGN_OLD_SIGNATURE)


def test_an_old_signature_relabelled_does_not_verify() -> None:
    lines = FOREIGN_OLD_SIGNATURE.split("\n")
    data = base64.b64decode(lines[1])
    lines[1] = base64.b64encode(b"ED" + data[2:]).decode()
    signature = parse_signature("\n".join(lines))
    with pytest.raises(BadSignatureError):
        signature.verify(b"hello\n", parse_public_key(FOREIGN_PUBLIC))


@given(st.binary(max_size=80), COMMENTS)
def test_what_is_signed_verifies_and_reads_back(message: bytes, comment: str) -> None:
    signature = ANNA.sign(message, trusted_comment=comment)
    signature.verify(message, ANNA.public)
    assert parse_signature(signature.text) == signature


@given(st.integers(0, 64 * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    signature = ANNA.sign(MESSAGE, trusted_comment="7")
    for field in ("octets", "comment_signature"):
        octets = bytearray(getattr(signature, field))
        octets[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadSignatureError):
            replace(signature, **{field: bytes(octets)}).verify(MESSAGE, ANNA.public)


def test_a_signature_is_of_its_message_comment_and_key() -> None:
    signature = ANNA.sign(MESSAGE, trusted_comment="version 7")
    with pytest.raises(BadSignatureError, match="not over this text"):
        signature.verify(MESSAGE + b" ", ANNA.public)
    with pytest.raises(BadSignatureError, match="comment"):
        replace(signature, trusted_comment="version 8").verify(MESSAGE, ANNA.public)
    with pytest.raises(BadSignatureError, match="not by key"):
        signature.verify(MESSAGE, BERT.public)
    same_name = PublicKey(ANNA.key_id, BERT.public.octets)
    with pytest.raises(BadSignatureError):
        signature.verify(MESSAGE, same_name)


def test_a_signature_has_one_spelling() -> None:
    """The group's order added to the second half is the same signature to lax verifiers."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = ANNA.sign(MESSAGE)
    scalar = int.from_bytes(signature.octets[32:], "little") + order
    other = replace(signature, octets=signature.octets[:32] + scalar.to_bytes(32, "little"))
    with pytest.raises(BadSignatureError):
        other.verify(MESSAGE, ANNA.public)


_PRIME = 2**255 - 19


@pytest.mark.parametrize("y", [0, 1, _PRIME - 1, _PRIME, _PRIME + 1])
@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_keys_under_which_anybody_signs_are_refused(y: int, sign: int) -> None:
    octets = (y | sign).to_bytes(32, "little")
    with pytest.raises(MalformedError, match="anybody can sign"):
        PublicKey(bytes(8), octets)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RW",
        "hello",
        FOREIGN_PUBLIC + "=",
        FOREIGN_PUBLIC + "\n\n",
        " " + FOREIGN_PUBLIC,
        f"comment: x\n{FOREIGN_PUBLIC}\n",
        FOREIGN_PUBLIC.replace("RWT", "RUT"),
        FOREIGN_SIGNATURE,
        FOREIGN_SECRET,
        "\ud800",
        "A" * 100_000,
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_public_key(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        FOREIGN_PUBLIC,
        FOREIGN_SECRET,
        FOREIGN_SIGNATURE + "x\n",
        FOREIGN_SIGNATURE.replace("untrusted comment:", "comment:"),
        FOREIGN_SIGNATURE.replace("\ntrusted comment:", "\ncomment:"),
        FOREIGN_SIGNATURE.replace("RUT", "RVT"),
        FOREIGN_SIGNATURE.replace("FQk=", "FQl="),
        FOREIGN_SIGNATURE.replace("ä", "ä" * 9000),
    ],
)
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_signature(text)


@pytest.mark.parametrize("comment", ["two\nlines", "\x1b[2J", "\u202e", "a" * 2000, "\ud800"])
def test_a_comment_is_one_printable_line(comment: str) -> None:
    with pytest.raises(MalformedError):
        ANNA.sign(MESSAGE, trusted_comment=comment)


def test_a_secret_key_file_opens_with_its_passphrase_only() -> None:
    text = ANNA.file_text("pässphrase", salt=bytes(range(32)), cost=CHEAP)
    sealed = parse_secret_key(text)
    assert sealed.encrypted
    assert sealed.open("pässphrase") == ANNA
    for wrong in ("passphrase", "", None):
        with pytest.raises(WrongPassphraseError):
            sealed.open(wrong)
    plain = parse_secret_key(ANNA.file_text(None, salt=bytes(32)))
    assert not plain.encrypted
    assert plain.open() == plain.open("anything") == ANNA


def test_secrets_do_not_show() -> None:
    assert ANNA.seed.hex() not in repr(ANNA)
    assert str(ANNA.seed) not in repr(ANNA)
    sealed = parse_secret_key(ANNA.file_text(None, salt=bytes(32)))
    assert str(ANNA.seed) not in repr(sealed)


def test_a_damaged_secret_key_is_refused() -> None:
    text = ANNA.file_text(None, salt=bytes(32))
    line = base64.b64decode(text.split("\n")[1])
    for at in (0, 2, 4, 70):
        data = bytearray(line)
        data[at] ^= 1
        changed = f"untrusted comment: x\n{base64.b64encode(data).decode()}\n"
        with pytest.raises(MalformedError) as caught:
            parse_secret_key(changed).open()
        assert ANNA.seed.hex() not in str(caught.value)


@pytest.mark.parametrize(
    ("cost", "n", "p"),
    [
        (Cost(1 << 15, 1 << 20), 1 << 10, 1),
        (Cost(1 << 19, 1 << 24), 1 << 14, 1),
        (USUAL_COST, 1 << 20, 1),
        (Cost(0, 1 << 24), 1 << 10, 1),
        (Cost(1 << 25, 1 << 24), 1 << 14, 64),
    ],
)
def test_costs_are_derived_as_libsodium_does(cost: Cost, n: int, p: int) -> None:
    assert cost.scrypt == (n, 8, p)


@pytest.mark.parametrize("cost", [Cost(1 << 25, 1 << 40), Cost(1 << 60, 1 << 20), Cost(1, 0)])
def test_a_key_file_cannot_ask_for_everything(cost: Cost) -> None:
    with pytest.raises(MalformedError):
        _ = cost.scrypt


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: base64.b64encode(b).decode()))
def test_anything_is_a_value_or_our_error(text: str) -> None:
    for parse in (parse_public_key, parse_signature, parse_secret_key):
        for each in (text, f"untrusted comment: x\n{text}"):
            with suppress(MalformedError):
                parse(each)


def test_keys_have_their_length() -> None:
    with pytest.raises(MalformedError):
        SecretKey(bytes(7), bytes(32))
    with pytest.raises(MalformedError):
        PublicKey(bytes(8), bytes(31))
