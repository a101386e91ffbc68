"""CAA records as text, against dnspython where it reads such text at all."""

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CAA
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinwarden.caa.presentation import (
    parse_presentation,
    read_presentation,
    to_generic,
    to_presentation,
)
from pinwarden.caa.record import BrokenRecord, CAARecord, parse_rdata, to_rdata
from pinwarden.errors import MalformedError

OCTETS = st.binary(max_size=40)
TAGS = st.binary(min_size=1, max_size=20)
RECORDS = st.builds(CAARecord, st.integers(0, 255), TAGS, OCTETS)
LEGAL = st.from_regex(rb"[A-Za-z0-9]{1,20}", fullmatch=True)
LEGAL_RECORDS = st.builds(CAARecord, st.integers(0, 255), LEGAL, OCTETS)
PIECES = (
    *("0", "128", "256", " ", "\t", "issue", "a-b", '"', '""', '"ca.example; x=1"', "ca.example"),
    *("\\", "\\;", "\\059", "\\300", "\\#", "\\ ", "4", "00016101", "0001", "é", "\x00", "\x1b"),
)


def oracle(text: str) -> bytes | None:
    """The wire form that dnspython makes of the text."""
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.CAA, text)
        return bytes(rdata.to_wire() or b"")
    except (dns.exception.DNSException, ValueError):
        return None


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ('0 issue "ca.example"', CAARecord(0, b"issue", b"ca.example")),
        ("0 issue ca.example", CAARecord(0, b"issue", b"ca.example")),
        ('\t128  ISSUE\t"" ', CAARecord(128, b"ISSUE", b"")),
        ('0 issue ";"', CAARecord(0, b"issue", b";")),
        ("0 issue \\;", CAARecord(0, b"issue", b";")),
        ('0 issue "\tca\t"', CAARecord(0, b"issue", b"\tca\t")),
        ('0 issue "\\"ca\\""', CAARecord(0, b"issue", b'"ca"')),
        ('0 issue "a\\226\\152\\149b\\\\"', CAARecord(0, b"issue", b"a\xe2\x98\x95b\\")),
        ('0 issue "\u2615"', CAARecord(0, b"issue", b"\xe2\x98\x95")),
        ("0 issue a\\032b", CAARecord(0, b"issue", b"a b")),
        ('0 a\\045b "x"', CAARecord(0, b"a-b", b"x")),
        ("\\# 8 000569737375 653B", CAARecord(0, b"issue", b";")),
        ("\\# 8 00 05 69 73 73 75 65 3b", CAARecord(0, b"issue", b";")),
    ],
)
def test_forms_of_one_record(text: str, record: CAARecord) -> None:
    assert parse_presentation(text) == record
    assert parse_presentation(to_presentation(record)) == record
    assert parse_presentation(to_generic(record)) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0 issue",
        "issue ca.example",
        "256 issue ca",
        "-1 issue ca",
        "0x80 issue ca",
        '"0" issue ca',
        "٣ issue ca",
        '0 "" ca',
        "0 issue ca.example x=1",
        '0 issue "ca" "x"',
        '0 issue "ca',
        "0 issue ca\\",
        "0 issue ca\\25",
        '0 issue "\\256"',
        '0 issue "\\1a"',
        '0 issue ( "ca" )',
        '0 issue "ca"\n0 issue "cb"',
        'example.com. CAA 0 issue "ca"',
        "0 issue \ud800",
        "0 " + "x" * 256 + " ca",
        "0 issue " + "x" * 65536,
        "\\#",
        "\\# x",
        "\\# 3 0001",
        "\\# 2 000161",
        "\\# 2 00g1",
        "\\# 1 0",
        '\\# 4 "00016101"',
        "\\# 1 00",
        "\\# 0",
        "\\# 3 000561",
    ],
)
def test_what_is_no_record_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_presentation(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["0 issue ca; x=1", "0 issue ;", '0 issue "ca" ; note'])
def test_a_semicolon_outside_quotes_is_refused(text: str) -> None:
    """A zone file would take the rest for a comment, and the restriction would be lost."""
    with pytest.raises(MalformedError, match="semicolon outside quotes") as caught:
        parse_presentation(text)
    assert "double quotes" in (caught.value.hint or "")


def test_generic_text_of_broken_rdata_is_a_broken_record() -> None:
    record = read_presentation("\\# 3 00 05 69")
    assert isinstance(record, BrokenRecord)
    assert record.rdata == b"\x00\x05i"
    assert to_generic(record) == "\\# 3 000569"
    assert read_presentation("\\# 0") == read_presentation(to_generic(BrokenRecord(b"", "")))


def test_the_generic_text_of_the_usual_record() -> None:
    """RFC 3597 section 5: the mark, the length in octets, hexadecimal digits."""
    assert to_generic(CAARecord(0, b"issue", b"ca.example")) == (
        "\\# 17 0005697373756563612E6578616D706C65"
    )


@given(RECORDS)
def test_both_texts_read_back(record: CAARecord) -> None:
    text = to_presentation(record)
    assert text.isascii()
    assert text.isprintable()
    assert parse_presentation(text) == record
    assert parse_presentation(to_generic(record)) == record


@given(LEGAL_RECORDS)
def test_dnspython_reads_what_is_written(record: CAARecord) -> None:
    assert oracle(to_presentation(record)) == to_rdata(record)
    assert oracle(to_generic(record)) == to_rdata(record)


@given(LEGAL_RECORDS)
def test_what_dnspython_writes_is_read(record: CAARecord) -> None:
    wire = to_rdata(record)
    rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.CAA, wire, 0, len(wire))
    assert isinstance(rdata, dns.rdtypes.ANY.CAA.CAA)
    assert parse_presentation(rdata.to_text()) == record
    assert parse_presentation(str(rdata.to_generic())) == record


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@example('0 issue "a')
def test_any_text_is_a_record_or_malformed(text: str) -> None:
    """Where both read it, dnspython and we read the same."""
    try:
        record = parse_presentation(text)
    except MalformedError:
        return
    assert parse_rdata(to_rdata(record)) == record
    expected = oracle(text)
    assert expected is None or expected == to_rdata(record)
