"""Forms for zone files and updates: bind, generic, nsupdate, tinydns, dnsmasq."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caa.formats.sets import ORDINARY, SPECIAL, record, record_set
from pinwarden.caa.formats.registry import FORMATS
from pinwarden.caa.presentation import parse_presentation
from pinwarden.caa.record import CAARecord, parse_rdata
from pinwarden.caa.zone.zonefile import parse_zone
from pinwarden.errors import ConfigError

records = st.builds(
    CAARecord,
    st.integers(0, 255),
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=20).map(str.encode),
    st.binary(max_size=300),
)


@given(st.lists(records, min_size=1, max_size=4))
def test_zone_files_hold_any_record(made: list[CAARecord]) -> None:
    """Whatever octets a value has, our own zone file reader finds the same record."""
    for form in ("bind", "generic"):
        text = FORMATS[form].render([record_set(tuple(made))])
        zone = parse_zone(text, "example.com")
        assert tuple(each.caa for each in zone.caa("example.com")) == tuple(made)


@given(records)
def test_tinydns_holds_any_record(made: CAARecord) -> None:
    """Lines for tinydns have no colon and no blank inside the octets, and undo to the RDATA."""
    line = FORMATS["tinydns"].render([record_set((made,))]).removesuffix("\n")
    mark, number, data, ttl = line.split(":")[1:]
    assert (mark, number, ttl) == ("example.com", "257", "3600")
    octets = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), data)
    assert parse_rdata(octets.encode("latin-1")) == made
    assert " " not in data


@given(records)
def test_dnsmasq_holds_any_record(made: CAARecord) -> None:
    """The octets of dnsmasq in hexadecimal."""
    line = FORMATS["dnsmasq"].render([record_set((made,))])
    name, number, data = line.removeprefix("dns-rr=").strip().split(",")
    assert (name, number) == ("example.com", "257")
    assert parse_rdata(bytes.fromhex(data)) == made


def test_dnsmasq_lines_are_not_too_long() -> None:
    """A longer line would be cut in two by dnsmasq, so it is refused."""
    with pytest.raises(ConfigError, match="longer than 1023"):
        FORMATS["dnsmasq"].render([record_set((record("issue", b"x" * 500),))])


def test_nsupdate_replaces_the_set_in_one_go() -> None:
    """Old records go, new ones come, and one `send` makes it one transaction."""
    text = FORMATS["nsupdate"].render([record_set(ORDINARY)])
    first, *added, last = text.splitlines()
    assert first == "update delete example.com. CAA"
    assert last == "send"
    prefix = "update add example.com. 3600 CAA "
    assert tuple(parse_presentation(line.removeprefix(prefix)) for line in added) == ORDINARY


def test_nsupdate_names_the_zone_when_it_is_known() -> None:
    """One update is for one zone, and names of two zones are two updates."""
    text = FORMATS["nsupdate"].render(
        [
            record_set(SPECIAL, "www.example.com"),
            record_set(SPECIAL, "mail.example.net", "example.net"),
        ]
    )
    assert text.count("send\n") == 2
    assert "zone example.com.\nupdate delete www.example.com. CAA\n" in text
    assert "zone example.net.\nupdate delete mail.example.net. CAA\n" in text
