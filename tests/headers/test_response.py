"""Saved answers, as people have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.headers.response import LARGEST_RESPONSE, ResponseHead, parse_response_head

FIELDS = (("Server", "x"), ("Expect-CT", "max-age=1, enforce"))

CURL_V = """* Connected
> HEAD / HTTP/1.1
> Host: a
>
< HTTP/1.1 200 OK
< Server: x
* a note
< Expect-CT: max-age=1, enforce
<
* left intact
"""


@pytest.mark.parametrize(
    "text",
    [
        "HTTP/1.1 200 OK\r\nServer: x\r\nExpect-CT: max-age=1, enforce\r\n\r\n",
        "HTTP/1.1 200 OK\nServer: x\nExpect-CT: max-age=1, enforce\n",
        "HTTP/1.1 200 OK\r\nServer:x\r\nExpect-CT: \t max-age=1, enforce \t\r\n\r\n",
        "HTTP/1.1 200 \r\nServer: x\r\nExpect-CT:\r\n max-age=1,\r\n\t enforce\r\n\r\n",
        "\ufeff\r\n\r\nHTTP/1.1 200\r\nServer: x\r\nExpect-CT : max-age=1, enforce",
        CURL_V,
    ],
    ids=["curl -sI", "line feeds", "blanks", "folded", "sloppy", "curl -v"],
)
def test_one_head(text: str) -> None:
    """However it was saved, it says the same."""
    saved = parse_response_head(text.encode())
    (head,) = saved.heads
    assert (head.status, head.fields, saved.problems, saved.body) == (200, FIELDS, (), "")
    assert head.values("expect-ct") == ("max-age=1, enforce",)


@pytest.mark.parametrize("version", ["HTTP/2", "HTTP/3", "HTTP/1.0", "http/1.1"])
def test_versions(version: str) -> None:
    """HTTP/2 has no reason, and names in lower case."""
    (head,) = parse_response_head(f"{version} 200 \r\nexpect-ct: max-age=1\r\n\r\n".encode()).heads
    assert head == ResponseHead((("expect-ct", "max-age=1"),), 200, 1)


def test_fields_alone() -> None:
    """A person copied them without the status line; HTTP/2 has a field for it."""
    (head,) = parse_response_head(b"expect-ct: max-age=1").heads
    assert (head.status, head.fields) == (None, (("expect-ct", "max-age=1"),))
    (head,) = parse_response_head(b":status: 404\nexpect-ct: max-age=1\n").heads
    assert (head.status, head.fields) == (404, (("expect-ct", "max-age=1"),))


def test_a_chain_of_redirects() -> None:
    """`curl -siL` prints every head, and the page in the end."""
    text = (
        "HTTP/1.1 200 Connection established\r\n\r\n"
        "HTTP/1.1 301 Moved\r\nLocation: /b\r\nA: 1\r\n\r\nHTTP/2 200\r\na: 2\r\n\r\n"
        "<html>\r\nHTTP/1.1 500 is text\r\n"
    )
    saved = parse_response_head(text.encode())
    assert [(each.status, each.line) for each in saved.heads] == [(200, 1), (301, 3), (200, 7)]
    assert [each.values("A") for each in saved.heads] == [(), ("1",), ("2",)]
    assert saved.body == "<html>\nHTTP/1.1 500 is text\n"


def test_what_is_no_field() -> None:
    """It costs its line, which is told of in printable words."""
    saved = parse_response_head(b"HTTP/1.1 200 OK\nA: 1\nno field \x1b[2J\n: empty\nB: 2\n")
    assert saved.heads[0].fields == (("A", "1"), ("B", "2"))
    assert [each.partition(":")[0] for each in saved.problems] == ["line 3", "line 4"]
    assert "".join(saved.problems).isprintable()


def test_octets_beyond_ascii() -> None:
    """RFC 9110 section 5.5: they are opaque, and no reason to stop."""
    (head,) = parse_response_head(b"HTTP/1.1 200 OK\r\nA: \xff\xc3\xa9\x00\r\n\r\n").heads
    assert head.fields == (("A", "\ufffdé\x00"),)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"no field at all", b"\x00", b"a b: c"])
def test_no_head(data: bytes) -> None:
    """Nothing that could be read as one."""
    with pytest.raises(MalformedError, match="holds no header"):
        parse_response_head(data)


@pytest.mark.parametrize(
    "piece",
    [
        *(b"\n", b"\r\n", b"a", b"a:b\n", b" \n", b"a:\n \n", b"a:b\n\n", b"HTTP/1.1 200\n\n"),
        *(b"< ", b"< HTTP/1.1 200\n", b"HTTP/1.1 301\nA: b\n\n", b"A: b\n c\n", b":status: 200\n"),
    ],
)
def test_large_answers(piece: bytes) -> None:
    """An answer of the greatest size is read as fast as a small one, octet for octet."""
    data = piece * (LARGEST_RESPONSE // len(piece))
    problems: tuple[str, ...] = ()
    try:
        saved = parse_response_head(data)
        problems = saved.problems
        assert len(saved.heads) <= 64
    except MalformedError as error:
        problems = (str(error),)
    assert len(problems) <= 20
    with pytest.raises(MalformedError, match="larger than 1 MiB"):
        parse_response_head(b"\n" * (LARGEST_RESPONSE + 1))


@given(st.binary())
def test_any_octets(data: bytes) -> None:
    """Heads, or one printable line that says why not."""
    words = ""
    try:
        words = "".join(parse_response_head(b"HTTP/1.1 200 OK\r\n" + data).problems)
        words += "".join(parse_response_head(data).problems)
    except MalformedError as error:
        words += str(error)
    assert words.isprintable()


NAME = st.text("abcXYZ09-", min_size=1, max_size=10)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@given(st.lists(st.tuples(NAME, VALUE), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_a_server_writes_is_read(fields: list[tuple[str, str]], end: str) -> None:
    """Names, values and their order."""
    lines = ["HTTP/1.1 204 No Content", *(f"{name}: {value}" for name, value in fields), "", ""]
    (head,) = parse_response_head(end.join(lines).encode()).heads
    assert head.fields == tuple(fields)
