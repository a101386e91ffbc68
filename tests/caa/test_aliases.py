"""Aliases in one answer: followed, or refused where nobody could say which of them counts."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest

from pinwarden.caa.message import Response, Type, build_query, read_response
from pinwarden.errors import MalformedError

NAME = "www.example.com"
ISSUE = b"\x00\x05issueca.example"
RECORD = 'CAA 0 issue "ca.example"'


def read(*answer: str, rdtype: int = Type.CAA) -> Response:
    """An answer to a question about NAME with records in the form `owner type rdata`."""
    query = build_query(7, NAME, rdtype=rdtype)
    message = dns.message.make_response(dns.message.from_wire(query))
    for line in answer:
        owner, kind, rdata = line.split(" ", 2)
        message.answer.append(dns.rrset.from_text(owner + ".", 60, "IN", kind, rdata))
    return read_response(message.to_wire(), query)


def test_an_alias_beside_records() -> None:
    """In either order. At the owner of a DNAME records may stand (RFC 6672 section 2.3)."""
    lines = (f"{NAME} {RECORD}", f"{NAME} CNAME x.example.net.")
    for answer in (lines, lines[::-1]):
        with pytest.raises(MalformedError, match=r"an alias and records at 'www\.example\.com'"):
            read(*answer)
    with pytest.raises(MalformedError, match=r"records at 'x\.example'"):
        read(f"{NAME} CNAME x.example.", f"x.example {RECORD}", "x.example CNAME y.example.")
    assert read(f"{NAME} {RECORD}", f"{NAME} DNAME x.example.").rdata == (ISSUE,)


def test_several_aliases_for_one_name() -> None:
    """The same one twice is one."""
    with pytest.raises(MalformedError, match="several aliases for 'www"):
        read(f"{NAME} CNAME a.example.", f"{NAME} CNAME b.example.", f"a.example {RECORD}")
    with pytest.raises(MalformedError, match="several aliases for 'example"):
        read("example.com DNAME a.example.", "example.com DNAME b.example.")
    twice = read(f"{NAME} CNAME A.example.", f"{NAME} CNAME a.example.", f"a.example {RECORD}")
    assert (twice.aliases, twice.rdata) == (("a.example",), (ISSUE,))


def test_records_of_a_name_that_nothing_leads_to() -> None:
    """Poison: of a parent, of a sibling, of an alias that is none of ours."""
    answer = read(
        f"com {RECORD}",
        f"example.com {RECORD}",
        f"wwww.example.com {RECORD}",
        f"a.b.{NAME} {RECORD}",
        "victim.example CNAME www.example.com.",
        f"evil.example {RECORD}",
    )
    assert (answer.aliases, answer.rdata) == ((), ())


def test_a_question_about_aliases() -> None:
    """Then they are the records."""
    answer = read(f"{NAME} CNAME a.example.", "a.example CNAME b.example.", rdtype=Type.CNAME)
    assert answer.names(Type.CNAME)[0] == (NAME, "a.example")
    assert (answer.aliases, len(answer.rdata)) == ((), 1)


def test_a_dname_with_its_cname() -> None:
    """RFC 6672 section 3.1 has both in an answer; they are one step."""
    answer = read(
        "example.com DNAME example.net.",
        f"{NAME} CNAME www.example.net.",
        f"www.example.net {RECORD}",
    )
    assert (answer.aliases, answer.rdata) == (("www.example.net",), (ISSUE,))
