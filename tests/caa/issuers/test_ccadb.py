"""Reports of the CCADB, as messy as they are, and the issuer map that they make."""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.issuers import ccadb
from pinwarden.caa.issuers.ccadb import (
    find_domains,
    parse_identifiers,
    parse_owner_domains,
    parse_records,
    update_issuers,
)
from pinwarden.caa.issuers.map import (
    How,
    IssuerMap,
    KeyFact,
    Owner,
    Source,
    key_prefix,
    parse_issuers,
)
from pinwarden.caa.issuers.tables import render_tables
from pinwarden.errors import MalformedError, PinwardenError

V2 = (
    "Subject",
    "Subject Key Identifier (Hex)",
    "Intermediate Certificate",
    "Recognized CAA Domains",
)
V5 = (
    "CA Owner",
    "Subordinate CA Owner",
    "Certificate Name",
    "SHA-256 Fingerprint",
    "Subject Key Identifier",
)
KEY, OTHER, THIRD = b"k" * 20, b"o" * 20, b"t" * 20
DAY = date(2026, 10, 1)


def report(heading: tuple[str, ...], *rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows((heading, *rows))
    return text.getvalue().encode("utf-8-sig")


def identifier(key: bytes | str, domains: str, subject: str = "CN=A CA") -> tuple[str, ...]:
    return subject, key.hex().upper() if isinstance(key, bytes) else key, "", domains


def record(owner: str, key: bytes, sub: str = "", number: int = 1) -> tuple[str, ...]:
    return owner, sub, "A CA", f"{number:02X}" * 32, b64encode(key).decode()


@pytest.mark.parametrize(
    ("cell", "domains", "left"),
    [
        ("ca.example", ["ca.example"], []),
        ("a.example, b.example;c.example\nd.example e.example", list("abcde"), []),
        ("CA.Example.", ["ca.example"], []),
        ('"ca.example"', ["ca.example"], []),
        ("a.example a.example", ["a.example"], []),
        ("None", [], []),
        ("N/A", [], []),
        ("", [], []),
        ("Not applicable", [], []),
        ("None (S/MIME only)", [], ["None", "S/MIME", "only"]),
        ("https://ca.example/cps", [], ["https://ca.example/cps"]),
        ("info@ca.example", [], ["info@ca.example"]),
        ("We accept ca.example only", ["ca.example"], ["We", "accept", "only"]),
        ("1.2 e.g", [], ["1.2", "e.g"]),
        ("bücher.example", ["xn--bcher-kva.example"], []),
        ("*.ca.example", [], ["*.ca.example"]),
    ],
)
def test_domains_are_found_among_whatever_else(
    cell: str, domains: list[str], left: list[str]
) -> None:
    """What CAs were seen to write."""
    wanted = [each if "." in each else f"{each}.example" for each in domains]
    assert find_domains(cell) == (tuple(wanted), tuple(left))


def test_the_report_by_key() -> None:
    """Keys in hex, domains cleaned, and a problem for each row that is not clear."""
    data = report(
        V2,
        identifier(KEY, "One.example; www.one.example"),
        identifier("AB:CD", "two.example see our CPS"),
        identifier(OTHER, "None"),
        identifier("not hex", "three.example"),
        identifier("", "three.example"),
        ("short",),
    )
    found = parse_identifiers(data)
    assert [(row.key_id, row.domains) for row in found.rows] == [
        (KEY, ("one.example", "www.one.example")),
        (b"\xab\xcd", ("two.example",)),
    ]
    assert found.rows[0].subject == "CN=A CA"
    assert [problem.partition(":")[0] for problem in found.problems] == [
        *("row 3", "row 5", "row 6", "row 7")
    ]


def test_the_report_of_records() -> None:
    """The subordinate CA's owner where there is one; a key identifier where one can be read."""
    found = parse_records(
        report(
            V5,
            record("Root Owner", KEY),
            record("Root Owner", OTHER, "Operator", 2),
            ("Root Owner", "", "no key", "00" * 32, "%%%"),
            ("", "", "nobody's", "00" * 32, ""),
            ("Root Owner", "", "bad", "00", ""),
        )
    )
    assert [(row.owner, row.key_id) for row in found.rows] == [
        ("Root Owner", KEY),
        ("Operator", OTHER),
        ("Root Owner", None),
    ]
    assert found.rows[1].fingerprint == b"\x02" * 32
    assert len(found.problems) == 2


@pytest.mark.parametrize("parse", [parse_identifiers, parse_owner_domains, parse_records])
@pytest.mark.parametrize("data", [b"", b"\n", b"a,b\n1,2\n", b"\xff\xfe\x00", b"{}"])
def test_another_file_is_refused(parse: object, data: bytes) -> None:
    """It has not the columns."""
    with pytest.raises(MalformedError, match="CCADB report: has no column"):
        parse(data)  # type: ignore[operator]


def test_reports_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In octets, rows, domains of a cell and problems."""
    rows = [identifier("zz", "a.example") for _ in range(300)]
    found = parse_identifiers(report(V2, *rows))
    assert len(found.problems) == 201
    assert found.problems[-1] == "and 100 more problems"
    many = " ".join(f"d{number}.example" for number in range(600))
    assert len(parse_identifiers(report(V2, identifier(KEY, many))).rows[0].domains) == 500
    monkeypatch.setattr(ccadb, "ROW_LIMIT", 100)
    with pytest.raises(MalformedError, match="more than 100 rows"):
        parse_identifiers(report(V2, *rows))
    monkeypatch.setattr(ccadb, "SIZE_LIMIT", 10)
    with pytest.raises(MalformedError, match="larger than"):
        parse_identifiers(report(V2))


def test_a_giant_cell_is_our_error() -> None:
    """The CSV reader's own limit does not leave as its own exception."""
    with pytest.raises(MalformedError, match="is not CSV"):
        parse_identifiers(report(V2, identifier(KEY, "a" * 200_000)))


def test_a_line_that_would_fill_the_memory_is_refused() -> None:
    """Nothing but commas is a hundred times its size as a row."""
    with pytest.raises(MalformedError, match="a line has more than"):
        parse_identifiers(report(V2) + b"," * (2 << 20))


def test_only_line_ends_separate_rows() -> None:
    """Other separators that Python knows are parts of a cell."""
    rows = "".join(f'O=a{odd}b,"{KEY.hex()}",,ca.example\n' for odd in "\x0b\x0c\x1c\x85\u2028")
    found = parse_identifiers(report(V2) + rows.encode())
    assert len(found.rows) == 5
    assert found.problems == ()


def test_half_a_domain_is_none() -> None:
    """A cell cut at its limit ends with a token that nobody wrote."""
    domains, left = find_domains("ca.example " * 2000)
    assert domains == ("ca.example",)
    assert left == ("ca.ex",)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_file_is_read_or_refused(rest: bytes) -> None:
    """No exception but ours, whatever follows the headings."""
    for parse, heading in ((parse_identifiers, V2), (parse_records, V5)):
        for data in (rest, report(heading) + rest):
            try:
                found = parse(data)
            except PinwardenError:
                continue
            assert all("\n" not in problem for problem in found.problems)


@pytest.fixture
def base() -> IssuerMap:
    owners = (
        Owner("One", ("one.example", "lost.example"), ("One Ltd",), former=("gone.example",)),
        Owner("Two", ("two.example",)),
        Owner("Silent", ("silent.example",)),
    )
    facts = [
        KeyFact("key", key_prefix("key", KEY), ("Two",)),
        KeyFact("key", key_prefix("key", b"silent"), ("Silent",)),
    ]
    sources = (Source("domains", "old", date(2026, 1, 1)),)
    tables = render_tables(owners, sources, facts)
    return parse_issuers(tables.owners, lambda: tables.keys)


def updated(base: IssuerMap, identifiers: bytes, records: bytes | None = None) -> IssuerMap:
    tables = update_issuers(
        base,
        parse_identifiers(identifiers),
        parse_records(records) if records is not None else None,
        [Source("domains", "new", DAY)],
    )
    return parse_issuers(tables.owners, lambda: tables.keys)


def test_reports_give_the_domains_of_each_key(base: IssuerMap) -> None:
    """The record says whose the key is, the identifiers what it takes; others are by owner."""
    issuers = updated(
        base,
        report(V2, identifier(KEY, "one.example"), identifier(OTHER, "one.example, extra.example")),
        report(
            V5,
            record("One Ltd", KEY),
            record("One", OTHER, number=2),
            record("One", THIRD, number=3),
        ),
    )
    assert issuers.dated == DAY
    match = issuers.issuer_of(authority_key=KEY)
    assert match is not None
    assert [owner.name for owner in match.owners] == ["One"]
    assert (match.how, match.domains) == (How.BY_KEY, {"one.example"})
    by_print = issuers.issuer_of(issuer_sha256=b"\x02" * 32)
    assert by_print is not None
    assert by_print.domains == {"one.example", "extra.example"}
    third = issuers.issuer_of(authority_key=THIRD)
    assert third is not None
    assert (third.how, third.owners) == (How.BY_OWNER, match.owners)


def test_reports_change_what_an_owner_goes_by(base: IssuerMap) -> None:
    """New domains are added, dropped ones become former, and others' are only honoured."""
    issuers = updated(
        base,
        report(V2, identifier(KEY, "one.example new.example two.example")),
        report(V5, record("One", KEY)),
    )
    one = issuers.owner_named("One")
    assert one is not None
    assert one.domains == ("one.example", "new.example")
    assert one.recognised == ("two.example",)
    assert one.former == ("lost.example", "gone.example")
    owner = issuers.owner_of("two.example")
    assert owner is not None
    assert owner.name == "Two"


def test_what_the_reports_do_not_know_stays(base: IssuerMap) -> None:
    """An owner and a key of the map that ships, which no row mentions."""
    issuers = updated(base, report(V2, identifier(OTHER, "one.example")))
    assert issuers.same_ca("silent.example") == {"silent.example"}
    match = issuers.issuer_of(authority_key=b"silent")
    assert match is not None
    assert match.how is How.BY_OWNER


def test_without_records_the_map_that_ships_tells_the_owner(base: IssuerMap) -> None:
    """Else the domains do, and at last the subject."""
    issuers = updated(
        base,
        report(
            V2,
            identifier(KEY, "one.example"),
            identifier(OTHER, "silent.example"),
            identifier(THIRD, "unheard.example", "CN=Unheard CA"),
        ),
    )
    names = []
    for key in (KEY, OTHER, THIRD):
        match = issuers.issuer_of(authority_key=key)
        assert match is not None
        names.append([owner.name for owner in match.owners])
    assert names == [["Two"], ["Silent"], ["CN=Unheard CA"]]


def test_a_key_of_two_owners_takes_no_domain_from_either(base: IssuerMap) -> None:
    """A cross-sign that lists Amazon's names does not make them names of the cross-signer."""
    issuers = updated(
        base,
        report(V2, identifier(KEY, "two.example")),
        report(V5, record("One", KEY), record("Two", KEY, number=2)),
    )
    assert issuers.same_ca("one.example") == base.same_ca("one.example")
    match = issuers.issuer_of(authority_key=KEY)
    assert match is not None
    assert [owner.name for owner in match.owners] == ["One", "Two"]
    assert match.domains == {"two.example"}


def test_the_real_report_by_owner(corpus: Path) -> None:
    """The one of 2017: 73 owners, lists and `N/A`."""
    found = parse_owner_domains((corpus / "caa/ca_information_report_2017.csv").read_bytes())
    rows = {row.owner: row.domains for row in found.rows}
    assert len(rows) > 40
    assert rows["Internet Security Research Group (ISRG)"] == ("letsencrypt.org",)
    assert rows["Go Daddy"] == ("godaddy.com", "starfieldtech.com")
    assert rows["DigiCert"][0] == "digicert.com"
    assert "Certicámara" not in rows
    assert found.problems == ()
