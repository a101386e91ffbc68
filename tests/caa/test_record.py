"""The wire form of CAA records: what is one, what is none, and that nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.record import (
    RDATA_LIMIT,
    BrokenRecord,
    CAARecord,
    parse_rdata,
    read_rdata,
    to_rdata,
)
from pinwarden.errors import MalformedError


def test_a_record_comes_apart_into_flags_tag_and_value() -> None:
    """RFC 8659 section 4.1: the value has no length of its own, it ends with the RDATA."""
    assert parse_rdata(b"\x80\x05issueca.example") == CAARecord(128, b"issue", b"ca.example")
    assert parse_rdata(b"\x00\x05issue") == CAARecord(0, b"issue", b"")


@pytest.mark.parametrize(
    ("rdata", "problem"),
    [
        (b"", "ends after 0 of the two octets for flags and tag length"),
        (b"\x00", "ends after 1 of the two octets for flags and tag length"),
        (b"\x00\x00", "has a tag of no octets"),
        (b"\x00\x00issue", "has a tag of no octets"),
        (b"\x00\x06issue", "has 5 of the 6 octets of its tag"),
        (b"\x00\xff", "has 0 of the 255 octets of its tag"),
        (b"\x00\x01" + bytes(RDATA_LIMIT - 1), "has 65536 octets, more than DNS can carry"),
    ],
)
def test_rdata_without_a_whole_tag_is_no_record(rdata: bytes, problem: str) -> None:
    with pytest.raises(MalformedError, match=f"CAA RDATA: {problem}"):
        parse_rdata(rdata)
    assert read_rdata(rdata) == BrokenRecord(rdata, problem)


@pytest.mark.parametrize("tag", [b"is-sue", b"\xff", b"a b", b"\0", b"x" * 255])
def test_the_octets_of_a_tag_do_not_break_a_record(tag: bytes) -> None:
    """One illegal tag must hide neither itself nor the records beside it."""
    record = parse_rdata(bytes((0, len(tag))) + tag + b"value")
    assert record == CAARecord(0, tag, b"value")
    assert record.property is None or tag.isalnum()


@pytest.mark.parametrize(
    ("tag", "name"), [(b"IsSuE", "issue"), (b"a1", "a1"), (b"a-b", None), (b"\xe9", None)]
)
def test_tags_are_compared_in_lower_case_and_only_if_legal(tag: bytes, name: str | None) -> None:
    assert CAARecord(0, tag, b"").property == name


@pytest.mark.parametrize(("flags", "critical"), [(0, False), (1, False), (127, False), (128, True)])
def test_only_the_highest_bit_is_critical(flags: int, critical: bool) -> None:
    """RFC 8659 section 4.1: bit 0 is the most significant, so flags 1 is a reserved bit."""
    assert CAARecord(flags, b"x", b"").critical is critical


@pytest.mark.parametrize(
    "record",
    [
        CAARecord(256, b"issue", b""),
        CAARecord(-1, b"issue", b""),
        CAARecord(0, b"", b""),
        CAARecord(0, b"x" * 256, b""),
        CAARecord(0, b"x", bytes(RDATA_LIMIT - 2)),
    ],
)
def test_what_has_no_wire_form_is_refused(record: CAARecord) -> None:
    with pytest.raises(MalformedError):
        to_rdata(record)


@given(st.binary(max_size=300))
def test_what_is_read_is_written_again(rdata: bytes) -> None:
    record = read_rdata(rdata)
    if isinstance(record, CAARecord):
        assert to_rdata(record) == rdata
    else:
        assert record.rdata == rdata
