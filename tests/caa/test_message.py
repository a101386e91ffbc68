"""Messages, against dnspython: what it can read we read alike, and more."""

from __future__ import annotations

import contextlib
import itertools
import struct

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.aliases import MOST_ALIASES
from pinwarden.caa.lookup import ExtendedError
from pinwarden.caa.message import (
    RCode,
    Response,
    Type,
    build_query,
    rcode_name,
    read_response,
)
from pinwarden.errors import MalformedError

NAME = "www.example.com"
QUERY = build_query(0x1234, NAME)
ISSUE = b"\x00\x05issueca.example"


def reply(*answer: str, rcode: str = "NOERROR", authority: tuple[str, ...] = ()) -> bytes:
    """An answer to QUERY with records in the form `owner TTL type rdata`."""
    message = dns.message.make_response(dns.message.from_wire(QUERY))
    message.set_rcode(dns.rcode.from_text(rcode))
    for section, lines in ((message.answer, answer), (message.authority, authority)):
        for line in lines:
            owner, ttl, kind, rdata = line.split(" ", 3)
            section.append(
                dns.rrset.from_text(f"{owner.rstrip('.')}.", int(ttl), "IN", kind, rdata)
            )
    return message.to_wire()


def read(*answer: str, rcode: str = "NOERROR", authority: tuple[str, ...] = ()) -> Response:
    return read_response(reply(*answer, rcode=rcode, authority=authority), QUERY)


SOA = "example.com 300 SOA ns. h. 1 2 3 4 60"


@pytest.mark.parametrize("do", [True, False])
@pytest.mark.parametrize("cd", [True, False])
@pytest.mark.parametrize("payload", [1232, 0])
def test_a_query_is_what_dnspython_reads(do: bool, cd: bool, payload: int) -> None:
    wire = build_query(77, "WWW.example.com.", do=do, cd=cd, rd=False, payload=payload)
    read = dns.message.from_wire(wire)
    assert read.id == 77
    assert read.question[0].to_text() == "www.example.com. IN CAA"
    assert bool(read.flags & dns.flags.CD) == cd
    assert not read.flags & dns.flags.RD
    assert (read.edns, read.payload) == ((0, payload) if payload else (-1, 0))
    assert bool(read.ednsflags & dns.flags.DO) == (do and bool(payload))


def test_records_and_their_ttl() -> None:
    answer = read(f'{NAME} 300 CAA 0 issue "ca.example"', f"{NAME} 200 CAA 128 iodef mailto:a@b")
    assert answer.rdata == (ISSUE, b"\x80\x05iodefmailto:a@b")
    assert (answer.ttl, answer.rcode, answer.aliases) == (200, RCode.NOERROR, ())
    assert answer.edns


def test_an_illegal_tag_hides_nothing() -> None:
    """Where dnspython loses the whole message, every record is still there."""
    wire = bytearray(reply(f'{NAME} 60 CAA 0 issue "ca.example"', f'{NAME} 60 CAA 0 zz ""'))
    wire[wire.index(b"zz") : wire.index(b"zz") + 2] = b"--"
    with pytest.raises(dns.exception.DNSException):
        dns.message.from_wire(bytes(wire))
    assert read_response(bytes(wire), QUERY).rdata == (ISSUE, b"\x00\x02--")


def test_negative_ttl_is_the_lesser_of_soa_and_its_minimum() -> None:
    """RFC 2308 section 5."""
    assert read(rcode="NXDOMAIN", authority=(SOA,)).ttl == 60
    assert read(authority=("example.com 30 SOA ns. h. 1 2 3 4 60",)).ttl == 30
    assert read().ttl is None


def test_aliases_in_any_order() -> None:
    """CNAME and DNAME lead on wherever they stand, and the records are those at the end."""
    answer = read(
        'end.example.net 50 CAA 0 issue "ca.example"',
        "a.example.org 40 CNAME end.example.net.",
        f"{NAME} 90 CNAME a.example.org.",
        'elsewhere.example 1 CAA 0 issue "evil.example"',
    )
    assert answer.aliases == ("a.example.org", "end.example.net")
    assert answer.rdata == (ISSUE,)
    assert answer.ttl == 40


def test_dname_without_its_cname() -> None:
    """RFC 6672 section 2.3: below its owner, not at it."""
    answer = read(
        "example.com 70 DNAME example.net.", 'www.example.net 80 CAA 0 issue "ca.example"'
    )
    assert (answer.aliases, answer.rdata, answer.ttl) == (("www.example.net",), (ISSUE,), 70)
    at_owner = read(f"{NAME} 70 DNAME example.net.")
    assert at_owner.aliases == ()


def test_dname_to_the_root_and_too_far() -> None:
    assert read("example.com 70 DNAME .").aliases == ("www",)
    long = ".".join(["a" * 63] * 3 + ["a" * 59]) + "."
    with pytest.raises(MalformedError, match="longer than 255"):
        read(f"example.com 70 DNAME {long}")


def test_loops_are_seen_and_end() -> None:
    answer = read(f"{NAME} 1 CNAME a.example.", f"a.example 1 CNAME {NAME}.")
    assert answer.loops
    assert answer.rdata == ()
    assert read("example.com 1 DNAME x.example.com.").loops
    links = [f"a{n}.example 1 CNAME a{n + 1}.example." for n in range(30)]
    long = read(f"{NAME} 1 CNAME a0.example.", *links)
    assert long.loops
    assert len(long.aliases) == MOST_ALIASES + 1


def test_records_of_other_names_and_classes_are_none() -> None:
    """A record that the question did not lead to must not count."""
    assert read('example.com 60 CAA 0 issue "evil.example"').rdata == ()
    chaos = bytearray(reply(f'{NAME} 60 CAA 0 issue "ca.example"'))
    at = chaos.index(b"\xc0\x0c\x01\x01\x00\x01")
    chaos[at + 5] = 3
    assert read_response(bytes(chaos), QUERY).rdata == ()


def test_a_referral_is_no_empty_answer() -> None:
    assert read(authority=("example.com 60 NS ns.example.com.",)).referral == "example.com"
    assert read(authority=("example.com 60 NS ns.example.com.", SOA)).referral is None
    assert read().referral is None
    # Some set AA all the same, and who is asked directly tells of an alias which leads out.
    aa = bytearray(reply(authority=("example.com 60 NS ns.example.com.",)))
    aa[2] |= 0x04
    assert read_response(bytes(aa), QUERY).referral == "example.com"
    led_on = read(f"{NAME} 60 CNAME x.example.net.", authority=(". 60 NS a.root.example.",))
    assert (led_on.referral, led_on.aliases) == (None, ("x.example.net",))
    broken = bytearray(reply(authority=("example.com 60 NS ns.example.com.",)))
    broken[broken.index(b"\xc0\x10\0\x02") + 1] = 0xFF
    with pytest.raises(MalformedError, match="compression pointer"):
        read_response(bytes(broken), QUERY)


OTHER_SOA = "example.org 300 SOA ns. h. 1 2 3 4 60"


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
def test_the_soa_of_another_zone_denies_nothing(rcode: str) -> None:
    """Neither for the question, nor for where an alias leads: that is in some other zone."""
    with pytest.raises(MalformedError, match=r"^answer is about the zone 'example\.org'"):
        read(rcode=rcode, authority=(OTHER_SOA,))
    both = read(rcode=rcode, authority=(OTHER_SOA, SOA))
    assert (both.has_soa, both.ttl) == (True, 60)
    alias = f"{NAME} 60 CNAME x.example.net."
    led_out = read(alias, rcode=rcode, authority=(SOA,))
    assert (led_out.has_soa, led_out.ttl) == (False, 60)
    at_home = read(f"{NAME} 90 CNAME x.example.com.", rcode=rcode, authority=(SOA,))
    assert (at_home.has_soa, at_home.ttl) == (True, 60)
    # The name of a zone that ends in another's is not in it.
    with pytest.raises(MalformedError, match="about the zone"):
        read(rcode=rcode, authority=("ample.com 60 SOA ns. h. 1 2 3 4 60",))
    assert read(rcode=rcode, authority=(". 60 SOA ns. h. 1 2 3 4 60",)).has_soa
    assert read(rcode="REFUSED", authority=(OTHER_SOA,)).rcode == RCode.REFUSED


def test_two_opt_records() -> None:
    """RFC 6891 section 6.1.1: each would say what the response code is."""
    wire = reply()
    opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    assert wire.count(opt[:3]) == 1
    twice = wire[:10] + b"\0\x02" + wire[12:] + opt
    with pytest.raises(MalformedError, match="more than one OPT"):
        read_response(twice, QUERY)


def test_extended_errors() -> None:
    message = dns.message.make_response(dns.message.from_wire(QUERY))
    options = [
        dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "no \x1b[31m\u202e"),
        dns.edns.GenericOption(10, b"cookie"),
        dns.edns.GenericOption(15, b"\0"),
        dns.edns.GenericOption(15, b"\0\x07\xff\xfe\0"),
    ]
    message.use_edns(0, 0, 1232, options=options)
    message.set_rcode(dns.rcode.SERVFAIL)
    answer = read_response(message.to_wire(), QUERY)
    assert answer.extended_errors == (
        ExtendedError(6, "no \x1b[31m\u202e"),
        ExtendedError(7, "\ufffd\ufffd"),
    )
    long = dns.edns.GenericOption(15, b"\0\x06" + b"a" * 999)
    message.use_edns(0, 0, 65535, options=[long] * 40)
    many = read_response(message.to_wire(max_size=65535), QUERY).extended_errors
    assert [len(each.text) for each in many] == [255] * 8


@pytest.mark.parametrize("code", [0, 3, 5, 16, 23, 42, 4095])
def test_response_codes(code: int) -> None:
    """RFC 6891 section 6.1.3: eight of the twelve bits are in the OPT record."""
    message = dns.message.make_response(dns.message.from_wire(QUERY))
    message.set_rcode(dns.rcode.Rcode.make(code))
    assert read_response(message.to_wire(), QUERY).rcode == code
    assert rcode_name(code) == (RCode(code).name if code in tuple(RCode) else f"RCODE{code}")


def test_the_flags() -> None:
    message = dns.message.make_response(dns.message.from_wire(QUERY))
    plain = read_response(message.to_wire(), QUERY)
    assert flags(plain) == [False] * 5
    message.flags |= dns.flags.AA | dns.flags.TC | dns.flags.RA | dns.flags.AD | dns.flags.CD
    all_set = read_response(message.to_wire(), QUERY)
    assert flags(all_set) == [True] * 5


def flags(answer: Response) -> list[bool]:
    return [
        answer.authoritative,
        answer.truncated,
        answer.recursion_available,
        answer.authenticated,
        answer.checking_disabled,
    ]


def test_ttl_that_would_be_negative() -> None:
    """RFC 2181 section 8."""
    wire = bytearray(reply(f'{NAME} 60 CAA 0 issue "ca.example"'))
    at = wire.index(b"\0\0\0\x3c")
    wire[at] = 0x80
    assert read_response(bytes(wire), QUERY).ttl == 0


def test_an_answer_must_be_one_to_the_question() -> None:
    """Id, name, type and class: what does not fit could be from anybody."""
    good = reply(f'{NAME} 60 CAA 0 issue "ca.example"')
    for at, octet in ((1, 0x35), (13, ord("x")), (30, 2), (32, 3)):
        wire = bytearray(good)
        wire[at] = octet
        with pytest.raises(MalformedError, match=r"^answer (has the id|is one to another)"):
            read_response(bytes(wire), QUERY)
    with pytest.raises(MalformedError, match="no answer by its header"):
        read_response(QUERY, QUERY)
    shouted = good.replace(b"\x03www\x07example", b"\x03WwW\x07eXAMPLE", 1)
    assert read_response(shouted, QUERY).rdata == (ISSUE,)


def test_an_error_may_leave_the_question_out() -> None:
    for code in (1, 2, 4, 5):
        bare = struct.pack(">HHHHHH", 0x1234, 0x8000 | code, 0, 0, 0, 0)
        assert read_response(bare, QUERY).rcode == code
    for code in (0, 3):
        with pytest.raises(MalformedError, match="repeats 0 questions"):
            read_response(struct.pack(">HHHHHH", 0x1234, 0x8000 | code, 0, 0, 0, 0), QUERY)


def test_names_in_records() -> None:
    query = build_query(1, "example.com", rdtype=Type.NS)
    message = dns.message.make_response(dns.message.from_wire(query))
    rrset = dns.rrset.from_text("example.com.", 60, "IN", "NS", "NS1.example.com.", "ns2.a.")
    message.answer.append(rrset)
    answer = read_response(message.to_wire(), query)
    assert sorted(answer.names(Type.NS)) == [
        ("example.com", "ns1.example.com"),
        ("example.com", "ns2.a"),
    ]
    assert answer.names(Type.CNAME) == []


def test_what_ends_early_or_late() -> None:
    """Every shorter message is refused, and so is a longer one."""
    wire = reply(f'{NAME} 60 CAA 0 issue "ca.example"', f"x.example 1 CNAME {NAME}.")
    for end in range(len(wire)):
        with pytest.raises(MalformedError, match=r"^(answer|record) "):
            read_response(wire[:end], QUERY)
    with pytest.raises(MalformedError, match="1 octets too many"):
        read_response(wire + b"\0", QUERY)


@given(st.binary(max_size=200))
def test_any_octets(data: bytes) -> None:
    """An answer or our error, whatever follows a header and question that fit."""
    head = reply()[: 12 + len(NAME) + 6]
    for wire in (data, QUERY[:2] + b"\x80\0" + data, head[:6] + data[:6] + head[12:] + data[6:]):
        check(wire)


@given(st.data())
def test_damaged_answers(data: st.DataObject) -> None:
    """Changed anywhere, an honest answer is read or refused, and alike by dnspython."""
    wire = bytearray(
        reply(
            "example.com 70 DNAME example.net.",
            f"{NAME} 60 CNAME www.example.net.",
            'www.example.net 80 CAA 0 issue "ca.example"',
            authority=(SOA,),
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(wire))


def check(wire: bytes) -> None:
    try:
        answer = read_response(wire, QUERY)
    except MalformedError:
        return
    assert all(alias.isprintable() for alias in answer.aliases)
    for kind in (Type.NS, Type.CNAME, Type.CAA):
        with contextlib.suppress(MalformedError):
            assert all(map(str.isprintable, itertools.chain(*answer.names(kind))))
    try:
        theirs = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return
    assert answer.rcode == theirs.rcode()
    caa = [
        each.to_wire()
        for rrset in theirs.answer
        if rrset.rdtype == dns.rdatatype.CAA and rrset.rdclass == 1
        for each in rrset
    ]
    assert set(answer.rdata) <= set(caa)
