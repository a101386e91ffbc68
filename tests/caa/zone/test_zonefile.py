"""Zone files: what is read, what is kept as a problem, and what refuses the file."""

import dns.exception
import dns.name
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.presentation import to_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord, to_rdata
from pinwarden.caa.zone.zonefile import MAX_ZONE_SIZE, Zone, parse_zone
from pinwarden.errors import MalformedError

ISSUE = CAARecord(0, b"issue", b"ca.example")
ZONE = """\
; a zone with what zone files may have
$TTL 1h
$ORIGIN example.com.
@       IN SOA ns hostmaster (
            1 ; serial
            2h 30m 4w 5m ) ; the last is the negative TTL
        NS ns
ns      A 192.0.2.1
@       300 IN CAA 0 issue "ca.example"
        IN 60 CAA 0 ISSUE ca.example
        caa 0 issue ( "ca.example" )
        CLASS1 TYPE257 \\# 17 0005697373756563612E 6578616D706C65
\tCAA 0 issue "ca.example" ; said twice
w\\119w CAA 0 issue "ca.example"
WWW.Example.COM. 0 CAA 0 issue "ca.example"
$ORIGIN sub
x       CAA 0 issue "ca.example"
@       TXT "a;b" "(" 'c"d"
"""


def caa(zone: Zone, owner: str) -> list[CAARecord | BrokenRecord | None]:
    return [record.caa for record in zone.caa(owner)]


def test_a_zone_with_everything() -> None:
    """RFC 1035 section 5, and generic types of RFC 3597."""
    zone = parse_zone(ZONE, None)
    assert zone.problems == ()
    assert (zone.apex, zone.negative_ttl) == ("example.com", 300)
    assert zone.caa_owners == ("example.com", "www.example.com", "x.sub.example.com")
    assert zone.owners == (
        "example.com",
        "ns.example.com",
        "www.example.com",
        "x.sub.example.com",
        "sub.example.com",
    )
    assert caa(zone, "www.example.com") == [ISSUE, ISSUE]
    assert [each.ttl for each in zone.caa("www.example.com")] == [3600, 0]
    assert caa(zone, "x.sub.example.com") == [ISSUE]
    assert [each.ttl for each in zone.caa("example.com")] == [300, 60, 3600, 3600, 3600]
    assert [each.line for each in zone.caa("example.com")] == [9, 10, 11, 12, 13]
    assert [each.unquoted for each in zone.caa("example.com")] == [False, True, *([False] * 3)]
    assert zone.caa("example.com")[-1].comment == "said twice"
    assert zone.has("example.com", "NS")
    assert zone.exists("sub.example.com")
    assert not zone.exists("com")


def test_a_semicolon_outside_quotes_begins_a_comment() -> None:
    """What was meant as parameters is lost, and kept for whoever wants to say so."""
    zone = parse_zone("@ CAA 0 issue ca.example; validationmethods=dns-01\n", "example.com")
    (record,) = zone.caa("example.com")
    assert record.caa == ISSUE
    assert record.unquoted
    assert record.comment == "validationmethods=dns-01"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bad CAA", "line 2: CAA record: is empty"),
        ("bad CAA 0 issue", "line 2: CAA record: has no value"),
        ("bad CAA 0 issue ;", "line 2: CAA record: has no value"),
        ("bad CAA 0 issue ca x=1", "line 2: CAA record: goes on with 'x=1' after the value"),
        ("bad CAA x issue ca", "line 2: CAA record: flags 'x' are not a number from 0 to 255"),
        ('bad CAA 0 issue "ca', "line 2: CAA record: has a quote that is not closed on its line"),
        ("bad CAA 0 issue ca\\", "line 2: CAA record: ends in a backslash"),
        ("bad CAA 0 issue ca )", "line 2: CAA record: closes a parenthesis that was not opened"),
        (
            "bad TYPE257 \\# 2 00",
            "line 2: CAA record: generic form has 1 octets, its length says 2",
        ),
    ],
)
def test_a_caa_record_that_cannot_be_read_is_a_problem(line: str, message: str) -> None:
    """It does not refuse the zone, and the entries after it are read."""
    zone = parse_zone(f'@ CAA 0 issue "ca.example"\n{line}\n  A 192.0.2.1\n', "example.com")
    (problem,) = zone.problems
    assert (problem.line, problem.owner, problem.type) == (2, "bad.example.com", "CAA")
    assert problem.message == message
    assert zone.caa_owners == ("example.com", "bad.example.com")
    assert [record.line for record in zone.at("bad.example.com")] == [3]


@pytest.mark.parametrize(
    ("line", "owner", "message"),
    [
        ("x CCA 0 issue ca", "x.example.com", "line 1: 'CCA' is no record type"),
        ("x CH TXT y", "x.example.com", "line 1: class 'CH' is not IN"),
        ("x IN IN A y", "x.example.com", "line 1: 'IN' is no record type"),
        ("x 300", "x.example.com", "line 1: has no type"),
        ("x 9999999999 A y", "x.example.com", "line 1: TTL '9999999999'"),
        ("x CNAME", "x.example.com", "line 1: CNAME record: has 0 words instead of one name"),
        ("x CNAME a b", "x.example.com", "line 1: CNAME record: has 2 words instead of one name"),
        ("x CNAME a..b", "x.example.com", "line 1: CNAME record: name 'a..b'"),
        ("x TYPE39 \\# 2 0161", "x.example.com", "line 1: DNAME record: name in generic RDATA"),
        ("x SOA a b 1", "x.example.com", "line 1: SOA record: has 3 words instead of seven"),
        ('CAA 0 issue "ca"', "caa.example.com", "line 1: 'ISSUE' is no record type"),
        ("a..b A y", None, "line 1: name 'a..b': has an empty label"),
        ("x\\999 A y", None, "line 1: name 'x\\999': has an escape that is none"),
        ("x" * 64 + " A y", None, "line 1: name"),
        ("x." * 125 + "x A y", None, "line 1: name"),
        (" A y", None, "line 1: has no owner"),
        ('"', None, "line 1: has a quote that is not closed on its line"),
    ],
)
def test_other_entries_that_cannot_be_read(line: str, owner: str | None, message: str) -> None:
    (problem,) = parse_zone(line, "example.com").problems
    assert problem.owner == owner
    assert problem.message.startswith(message)
    assert problem.message.isprintable()


def test_lines_below_an_unreadable_owner_are_not_of_the_owner_before() -> None:
    zone = parse_zone("x A 192.0.2.1\na..b A 192.0.2.1\n CAA 0 issue ca\n", "example.com")
    assert zone.caa_owners == ()
    assert [problem.line for problem in zone.problems] == [2, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$INCLUDE other.zone", "line 1: '$INCLUDE': is not followed here"),
        ("\n$generate 1-9 a$ A 192.0.2.$", "line 2: '$generate': is not followed here"),
        ("$DATE", "line 1: '$DATE': is no directive"),
        ("$TTL", "line 1: '$TTL': does not have one value"),
        ("$TTL soon", "line 1: '$TTL': TTL 'soon'"),
        ("$ORIGIN a..b.", "line 1: '$ORIGIN': name 'a..b.'"),
        ("@ CAA ( 0 issue ca\n\n", "line 1: opens a parenthesis that is never closed"),
        ("@ SOA a b 1 2 3 4 5\n@ SOA a b 1 2 3 4 5\nx SOA a b 1 2 3 4 5", "line 3: a second zone"),
    ],
)
def test_what_refuses_the_file(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_zone(text, "example.com")
    assert str(caught.value).startswith(message)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(MalformedError, match="has more than"):
        parse_zone("\n" * (MAX_ZONE_SIZE + 1), "example.com")


@pytest.mark.parametrize(
    ("text", "origin", "apex"),
    [
        ("a.example.com. SOA x. y. 1 2 3 4 5", "example.com", "a.example.com"),
        ("x A 192.0.2.1", "Example.COM.", "example.com"),
        ("x A 192.0.2.1", ".", ""),
        ("example.com SOA x. y. 1 2 3 4 5\nx A 192.0.2.1", "example.com", "example.com"),
        ("$ORIGIN example.com.\nx A 192.0.2.1", None, "example.com"),
        ("$ORIGIN a.example.com.\nx A y\n$ORIGIN example.com.\nx A y", None, "example.com"),
        ("a.b.example.com. A x\nc.b.example.com. A x", None, "b.example.com"),
        ("example.com. CAA 0 issue ca", None, "example.com"),
    ],
)
def test_the_apex_is_what_the_file_says(text: str, origin: str | None, apex: str) -> None:
    assert parse_zone(text, origin).apex == apex


@pytest.mark.parametrize("text", ["", "; nothing", "a.example. A x\nb.test. A x"])
def test_a_file_that_does_not_say_which_zone_it_is(text: str) -> None:
    with pytest.raises(MalformedError, match="does not say which zone it is") as caught:
        parse_zone(text, None)
    assert "$ORIGIN" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["@", "www", "www.example", "www\\."])
def test_relative_names_need_an_origin(name: str) -> None:
    zone = parse_zone(f"example.com. A x\n{name} CAA 0 issue ca", None)
    assert "unknown origin" in zone.problems[0].message


def test_ttls_are_inherited() -> None:
    """RFC 1035 section 5.1 and RFC 2308 section 4."""
    text = "@ SOA a b 1 2 3 4 77\nx A y\nx 5 A y\nx A y\n$TTL 9\nx A y\nx 1h1m A y"
    zone = parse_zone(text, "example.com")
    assert [record.ttl for record in zone.records] == [77, 77, 5, 5, 9, 3660]
    assert parse_zone("x A y", "example.com").records[0].ttl is None


def test_lines_end_at_line_feeds_only() -> None:
    """Other separators are part of a word for name servers, and for us."""
    zone = parse_zone(
        "\ufeff@ CAA 0 issue a\x85b\u2028c\x0bd\r\n\r\n@ CAA 0 issue e", "example.com"
    )
    assert caa(zone, "example.com") == [
        CAARecord(0, b"issue", "a\x85b\u2028c\x0bd".encode()),
        CAARecord(0, b"issue", b"e"),
    ]


LINES = st.lists(
    st.sampled_from(
        [
            *("@ ", "www ", " ", "*.w ", "a\\.b ", "A.B ", "$TTL 5\n", "$ORIGIN sub\n", "; x\n"),
            *("IN ", "300 ", "CAA ", "TYPE257 ", "A 192.0.2.1\n", "CNAME www\n", '0 issue "a;b"\n'),
            *("0 issue ca\n", "128 tbs (\n", "x )\n", "\\# 4 00016101\n", "\n", '"', "TXT "),
        ]
    ),
    max_size=20,
).map("".join)


def oracle(text: str) -> dict[str, list[bytes]] | None:
    """The CAA records that dnspython reads, by owner."""
    try:
        zone = dns.zone.from_text(
            text, "example.com.", relativize=False, check_origin=False, allow_include=False
        )
    except (dns.exception.DNSException, ValueError, KeyError):
        return None
    found: dict[str, list[bytes]] = {}
    for name, _, rdata in zone.iterate_rdatas(dns.rdatatype.CAA):
        owner = name.to_text(omit_final_dot=True).lower().replace("\\.", "\\046")
        found.setdefault(owner, []).append(bytes(rdata.to_wire() or b""))
    return {owner: sorted(each) for owner, each in found.items()}


@given(LINES)
def test_dnspython_reads_the_same(text: str) -> None:
    try:
        zone = parse_zone(text, "example.com")
    except MalformedError:
        return
    assert all(problem.message.isprintable() for problem in zone.problems)
    expected = oracle(text)
    if expected is None or zone.problems:
        return
    found = {
        owner: sorted({to_rdata(each) for each in caa(zone, owner) if isinstance(each, CAARecord)})
        for owner in zone.caa_owners
    }
    assert found == expected


def test_what_presentation_writes_a_zone_reads() -> None:
    record = CAARecord(128, b'a b;"', bytes(range(256)))
    zone = parse_zone(f"@ CAA {to_presentation(record)} ; x", "example.com")
    assert caa(zone, "example.com") == [record]
