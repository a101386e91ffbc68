"""Signed notes: one text for each note, and nothing that only looks like one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.merkle import EMPTY_ROOT
from pinwarden.ct.note import (
    MAX_NOTE_SIZE,
    CheckpointBody,
    Note,
    NoteSignature,
    encode_checkpoint_body,
    encode_note,
    is_key_name,
    key_id,
    parse_checkpoint_body,
    parse_note,
)
from pinwarden.errors import MalformedError, PinwardenError

# The example of C2SP signed-note.
POEM = """\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore \
NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""
LINE = "\u2014 log.example AAAAAAA=\n"


def test_the_example_of_the_specification() -> None:
    """A text with an empty line in it ends at the last one only."""
    note = parse_note(POEM.encode())
    assert note.text == POEM[: POEM.rindex("\n\n") + 1]
    assert [(one.name, one.key_id.hex()) for one in note.signatures] == [
        ("quasimodo.example/salvatore", "367ba04b")
    ]
    assert len(note.signatures[0].signature) == 64
    assert POEM.encode() == encode_note(note)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "text\n",
        "text\n\n",
        "\n\n" + LINE,
        "text\n" + LINE,
        "text\n\n" + LINE.rstrip("\n"),
        "text\n\n" + LINE + "more\n",
        "text\n\n" + LINE.replace("\u2014", "-"),
        "text\n\n" + LINE.replace("log.example", ""),
        "text\n\n" + LINE.replace("log.example", "log+example"),
        "text\n\n" + LINE.replace("log.example", "log\u2003example"),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAA=="),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAAB="),
        "text\n\n" + LINE.replace("AAAAAAA=", ""),
        "text\n\n" + LINE.replace("AAAAAAA=", "AAAAAAA= "),
        "te\txt\n\n" + LINE,
        "text\r\n\n" + LINE,
        "text\x00\n\n" + LINE,
        "x" * MAX_NOTE_SIZE + "\n\n" + LINE,
    ],
)
def test_what_is_no_note_is_refused(raw: str) -> None:
    """Each departure from the grammar must be our error."""
    with pytest.raises(MalformedError):
        parse_note(raw.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    """A note must be UTF-8."""
    with pytest.raises(MalformedError, match="UTF-8"):
        parse_note(b"t\xe9xt\n\n" + LINE.encode())


def test_many_signatures_are_accepted() -> None:
    """At least sixteen signatures of post-quantum size must be read."""
    many = tuple(NoteSignature(f"witness{n}", bytes(4), bytes(5000)) for n in range(20))
    note = Note("text\n", many)
    assert note == parse_note(encode_note(note))


names = st.text(min_size=1, max_size=8).filter(
    lambda name: is_key_name(name) and name.isprintable()
)
signatures = st.builds(
    NoteSignature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=8)
)
texts = st.text(st.sampled_from("ab \n\u2014é"), min_size=1, max_size=12).map(
    lambda text: text.rstrip("\n") + "x\n"
)


@given(texts, st.lists(signatures, min_size=1, max_size=3))
def test_notes_round_trip(text: str, lines: list[NoteSignature]) -> None:
    """A note must come back as it was written."""
    note = Note(text, tuple(lines))
    assert note == parse_note(encode_note(note))


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(str.encode),
        st.text(st.sampled_from("a \n\u2014+=A"), max_size=40).map(
            lambda text: f"t\n\n{LINE}{text}".encode()
        ),
    )
)
def test_any_bytes_are_a_note_or_refused(raw: bytes) -> None:
    """What is accepted must be exactly what we would write."""
    try:
        note = parse_note(raw)
    except PinwardenError:
        return
    assert raw == encode_note(note)


def test_key_id_of_a_published_key() -> None:
    """The ID in the verifier key of the transparency.dev test logs must be recomputed."""
    vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    name, identifier, encoded = vkey.split("+", 2)
    kind, *key = base64.b64decode(encoded)
    assert bytes.fromhex(identifier) == key_id(name, kind, bytes(key))


ROOT_LINE = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_checkpoint_body_round_trips() -> None:
    """Origin, size, root and further lines must come back."""
    text = f"log.example\n0\n{ROOT_LINE}\nmore\n"
    body = CheckpointBody("log.example", 0, EMPTY_ROOT, ("more",))
    assert body == parse_checkpoint_body(text)
    assert text == encode_checkpoint_body(body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example\n",
        "log.example\n0\n",
        f"log.example\n0\n{ROOT_LINE}",
        f"\n0\n{ROOT_LINE}\n",
        f"log.example\n\n{ROOT_LINE}\n",
        f"log.example\n00\n{ROOT_LINE}\n",
        f"log.example\n-1\n{ROOT_LINE}\n",
        f"log.example\n+1\n{ROOT_LINE}\n",
        f"log.example\n1_0\n{ROOT_LINE}\n",
        f"log.example\n\u0661\n{ROOT_LINE}\n",
        f"log.example\n1.0\n{ROOT_LINE}\n",
        f"log.example\n18446744073709551616\n{ROOT_LINE}\n",
        f"log.example\n{'9' * 5000}\n{ROOT_LINE}\n",
        f"log.example\n0\n{ROOT_LINE[:-1]}\n",
        f"log.example\n0\n{ROOT_LINE[4:]}\n",
        f"log.example\n0\n{ROOT_LINE[:-2]}V=\n",
        f"log.example\n0\n{ROOT_LINE}\n\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """Each departure from tlog-checkpoint must be our error."""
    with pytest.raises(MalformedError):
        parse_checkpoint_body(text)


@given(st.text(max_size=60), st.text(st.sampled_from("0123456789\n a"), max_size=8))
def test_any_text_is_a_checkpoint_or_refused(text: str, size: str) -> None:
    """What is accepted must be exactly what we would write."""
    for candidate in (text, f"o\n{size}\n{ROOT_LINE}\n{text}"):
        try:
            body = parse_checkpoint_body(candidate)
        except PinwardenError:
            continue
        assert candidate == encode_checkpoint_body(body)
