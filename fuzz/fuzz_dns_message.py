"""Fuzzes the reader of DNS answers: an answer or our error.

`fuzz/target.py` says how it runs.
"""

from contextlib import suppress
from functools import partial

from target import damaged, run

from pinwarden.caa.aliases import MOST_ALIASES
from pinwarden.caa.message import Type, build_query, read_response
from pinwarden.caa.record import read_rdata
from pinwarden.caa.wire_name import encode_name
from pinwarden.errors import MalformedError, PinwardenError

NAME = "www.example.com"
QUERIES = [build_query(0, NAME, rdtype=kind) for kind in (Type.CAA, Type.NS, Type.A)]
QUERY = QUERIES[0]


def check(data: bytes) -> None:
    for query in QUERIES:
        # As it came, and as the answer that it would be under the question asked.
        check_answer(data, query)
        check_answer(query[:2] + data[2:], query)
        end = len(query) - 11
        check_answer(query[:2] + data[:10] + query[12:end] + data[10:], query)
    text = data[:300].decode("latin-1")
    with suppress(MalformedError):
        assert len(encode_name(text)) <= 255


def check_answer(wire: bytes, query: bytes) -> None:
    try:
        answer = read_response(wire, query)
        names = [each for pair in answer.names(Type.NS) for each in pair]
    except PinwardenError:
        return
    names += [*answer.aliases, *([answer.referral] if answer.referral else [])]
    for name in names:
        assert name.isascii()
        assert name.isprintable()
        # What was read can be asked for.
        assert len(encode_name(name)) <= 255
    assert len(answer.aliases) <= MOST_ALIASES + 1
    assert answer.ttl is None or 0 <= answer.ttl < 2**31
    for rdata in answer.rdata:
        read_rdata(rdata)


def seed() -> bytes:
    """An answer with aliases, records, a SOA record and an extended error, to begin from."""
    question = QUERY[12:-11]
    alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03end\xc0\x10"
    target = len(question) + 12 + len(alias) - 6
    pointer = (0xC000 | target).to_bytes(2, "big")
    rdata = b"\x00\x05issueca.example"
    record = pointer + b"\x01\x01\x00\x01\x00\x00\x00\x3c" + len(rdata).to_bytes(2, "big") + rdata
    dname = b"\xc0\x10\x00\x27\x00\x01\x00\x00\x00\x3c\x00\x05\x03net\x00"
    soa = b"\xc0\x10\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x16\x00\x00" + bytes(20)
    opt = b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x0a\x00\x0f\x00\x06\x00\x06text"
    head = QUERY[:2] + b"\x81\x80\x00\x01\x00\x03\x00\x01\x00\x01"
    return head + question + alias + dname + record + soa + opt


if __name__ == "__main__":
    run(check, partial(damaged, seed()))
