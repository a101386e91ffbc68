"""Fuzzes CAA records, their text and values, and zone files: a value or one of our errors.

`fuzz/target.py` says how it runs.
"""

import random
from contextlib import suppress

from target import run

from pinwarden.caa.contact import parse_contact_email, parse_contact_phone, parse_iodef
from pinwarden.caa.lookup import Outcome
from pinwarden.caa.parameters import (
    equivalents,
    label_problem,
    parse_account_uri,
    parse_validation_methods,
)
from pinwarden.caa.presentation import (
    parse_presentation,
    read_presentation,
    to_generic,
    to_presentation,
)
from pinwarden.caa.record import CAARecord, read_rdata, to_rdata
from pinwarden.caa.value import parse_issue_value, to_value
from pinwarden.caa.zone.zonefile import parse_zone, zone_look_up
from pinwarden.errors import MalformedError

PIECES = (
    *(b"0", b"128", b"issue", b"issuewild", b"iodef", b'"', b"\\", b"\\#", b"\\059", b"\\300"),
    *(b"ca.example", b";", b"=", b",", b"-", b".", b" ", b"\t", b"\n", b"(", b")", b"@", b"*."),
    *(b"CAA", b"TYPE257", b"IN", b"CH", b"300", b"CNAME", b"DNAME", b"NS", b"SOA", b"A", b"$TTL"),
    *(b"$ORIGIN", b"www", b"a.b", b"4", b"00016101", b"accounturi", b"validationmethods", b"%41"),
    *(b"https://", b"mailto:", b"[::1]", b"+1", b"dns-01", b"ca-tbr-7", "é".encode(), b"\xff"),
    *(b"\x00", b"\x1b", b"\x80\x05issueca.example", b"\x00\x00"),
)


def check(data: bytes) -> None:
    check_record(data)
    check_value(data)
    text = data.decode("utf-8", "surrogateescape")
    check_text(text)
    check_zone(text)


def check_record(data: bytes) -> None:
    record = read_rdata(data)
    assert read_presentation(to_generic(record)) == record
    if isinstance(record, CAARecord):
        assert to_rdata(record) == data
        assert parse_presentation(to_presentation(record)) == record
        check_value(record.value)
    else:
        assert record.problem.isprintable()


def check_value(data: bytes) -> None:
    for parse in (parse_iodef, parse_contact_email, parse_contact_phone):
        with suppress(MalformedError):
            parse(data)
    try:
        value = parse_issue_value(data)
    except MalformedError as error:
        check_message(error)
        return
    assert parse_issue_value(to_value(value)) == value
    for parameter in value.parameters:
        with suppress(MalformedError):
            parse_account_uri(parameter.value)
        with suppress(MalformedError):
            for label in parse_validation_methods(parameter.value):
                label_problem(label)
                assert label.lower() in equivalents(label)


def check_message(error: MalformedError) -> None:
    assert str(error).isprintable()


def check_text(text: str) -> None:
    try:
        record = parse_presentation(text)
    except MalformedError as error:
        check_message(error)
        return
    assert parse_presentation(to_presentation(record)) == record


def check_zone(text: str) -> None:
    try:
        zone = parse_zone(text, "example")
    except MalformedError as error:
        check_message(error)
        return
    assert all(problem.message.isprintable() for problem in zone.problems)
    for name in (*zone.owners[:8], "x.example", "a.b.www.example"):
        answer = zone_look_up(zone, name + ".")
        assert (answer.outcome is Outcome.FAILED) is bool(answer.problem)
        assert answer.problem.isprintable()


def made_up(number: random.Random) -> bytes:
    """Pieces put together."""
    blank = number.choice((b"", b"", b" "))
    pieces = number.choices(PIECES, k=number.randint(0, 24))
    return blank.join(pieces) + number.randbytes(number.choice((0, 0, 0, 3)))


if __name__ == "__main__":
    run(check, made_up)
