"""Looks become observations, and observations go to JSON and back."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caa.observations import CA1, CA2, failure, hours, look
from pinwarden.caa.climb import RelevantSet, climb_with
from pinwarden.caa.history.observation import (
    LONGEST_GAP,
    Observation,
    continued,
    found_of,
    is_continued,
    observation_of,
)
from pinwarden.caa.history.observation_json import observation_json, parse_observations
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.errors import MalformedError

NAME = "www.example.com"


def found(*answers: Lookup) -> RelevantSet:
    """The search that had these answers in turn."""
    turn = iter(answers)
    return climb_with(NAME, lambda name: replace(next(turn), name=name))


def answer(*records: CAARecord | BrokenRecord, **other: object) -> Lookup:
    values = {
        "outcome": Outcome.RECORDS,
        "records": tuple(r for r in records if isinstance(r, CAARecord)),
        "broken": tuple(r for r in records if isinstance(r, BrokenRecord)),
        "ttl": 60,
    }
    return Lookup(name="", **(values | other))  # type: ignore[arg-type]


def empty(ttl: int) -> Lookup:
    return Lookup(name="", outcome=Outcome.NO_DATA, ttl=ttl, dnssec=DNSSECState.SECURE)


ISSUE = CAARecord(0, b"issue", b"ca1.example.net")


def test_a_set() -> None:
    """Records are sorted, each once, and the broken ones kept; TTL is that of the set."""
    records = (CAARecord(0, b"issue", b"z\x00"), BrokenRecord(b"\x00", "short"), ISSUE, ISSUE)
    seen = observation_of(found(empty(900), answer(*records)), hours(0), "127.0.0.1:53 (udp)")
    assert seen == Observation(
        name=NAME,
        relevant_name="example.com",
        records=(CA1, '0 issue "z\\000"', "\\# 1 00"),
        ttl=60,
        dnssec=DNSSECState.INDETERMINATE,
        resolver="127.0.0.1:53 (udp)",
        first_seen=hours(0),
        last_seen=hours(0),
    )
    again = found_of(seen)
    assert again.lookup is not None
    assert set(again.lookup.records) == {ISSUE, records[0]}
    assert [each.rdata for each in again.lookup.broken] == [b"\x00"]


def test_nothing() -> None:
    """No set is an observation too: the longest negative TTL, the weakest DNSSEC state."""
    seen = observation_of(found(empty(60), empty(900), empty(5)), hours(0))
    assert (seen.relevant_name, seen.records, seen.ttl) == (None, (), 900)
    assert (seen.dnssec, seen.failed) == (DNSSECState.SECURE, False)
    assert found_of(seen).lookup is None


def test_a_failure() -> None:
    """A failure is no policy, and says where it failed."""
    failed = Lookup(name="", outcome=Outcome.FAILED, failure=Failure.BOGUS, problem="expired")
    seen = observation_of(found(empty(60), failed), hours(0))
    assert (seen.failure, seen.problem, seen.ttl) == (Failure.BOGUS, "expired", None)
    assert seen.relevant_name == "example.com"
    assert found_of(seen).failed


def test_what_prolongs_an_observation() -> None:
    """An equal look soon enough, through the same resolver."""
    before = look(0, CA1, CA2)
    assert is_continued(before, look(8, CA2, CA1, ttl=5))
    for other in (
        look(1, CA1),
        look(1, CA1, CA2, name="example.org"),
        look(1, CA1, CA2, relevant_name="com"),
        look(1, CA1, CA2, resolver="other"),
        look(1, CA1, CA2, dnssec=DNSSECState.SECURE),
        look(8.1, CA1, CA2),
        failure(1),
    ):
        assert not is_continued(before, other)
    assert is_continued(failure(0), failure(1, failure=Failure.TIMEOUT, problem="other"))
    assert not is_continued(failure(0), failure(1, failure=Failure.BOGUS))
    assert not is_continued(failure(0), look(1))
    assert not is_continued(failure(0), failure(1, relevant_name="com"))


def test_an_observation_prolonged() -> None:
    """Looks are counted; the longest time between two and the greatest TTL stay."""
    seen = look(0, CA1, ttl=200)
    for at, ttl in ((1, 300), (4, None), (5, 100)):
        seen = continued(seen, look(at, CA1, ttl=ttl))
    assert (seen.first_seen, seen.last_seen, seen.count) == (hours(0), hours(5), 4)
    assert (seen.ttl, seen.longest_gap) == (300, timedelta(hours=3))
    assert seen.longest_gap < LONGEST_GAP
    assert continued(seen, look(2, CA1)).last_seen == hours(5)


_TEXT = st.text(max_size=20)
_RECORDS = st.one_of(
    st.builds(CAARecord, st.integers(0, 255), st.binary(min_size=1, max_size=20), st.binary()),
    st.builds(BrokenRecord, st.binary(max_size=1), st.just("short")),
)


@given(
    st.lists(_RECORDS, min_size=1, max_size=5),
    _TEXT,
    st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    st.sampled_from(DNSSECState),
)
def test_whatever_is_seen_comes_back_from_json(
    records: list[CAARecord | BrokenRecord],
    resolver: str,
    ttl: int | None,
    dnssec: DNSSECState,
) -> None:
    """Hostile octets survive the way to JSON and back, one object a line or as an array."""
    seen = observation_of(found(answer(*records, ttl=ttl, dnssec=dnssec)), hours(0), resolver)
    document = observation_json(seen)
    line = json.dumps(document)
    assert parse_observations(f"{line}\n\n{line}\n") == (seen, seen)
    assert parse_observations(json.dumps([document])) == (seen,)


def test_failures_come_back_from_json() -> None:
    """So does a failure, with what went wrong."""
    seen = failure(0, last_seen=hours(2), count=3, longest_gap=timedelta(hours=1))
    assert parse_observations(json.dumps(observation_json(seen))) == (seen,)
    text = '[{"name": "*.Example.com.", "at": "2026-05-02T12:00:00Z", "failure": "odd"}]'
    [read] = parse_observations(text)
    assert (read.name, read.failure) == ("example.com", Failure.OTHER_RCODE)
    [read] = parse_observations(text.replace('"failure": "odd"', '"records": null'))
    assert read.failed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1: not JSON"),
        ("[", "observations: not JSON"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ("[1]", "observation 1: not a JSON object"),
        ('[{"name": "a.example", "records": []}]', "first_seen: .* is no time"),
        ('[{"name": "a.example", "at": "yesterday", "records": []}]', "at: 'yesterday' is no time"),
        ('[{"name": "a.example", "at": "0001-01-01T00:00+23:00", "records": []}]', "out of range"),
        ('[{"at": "2026-05-02", "records": []}]', "name: not a name"),
        ('[{"name": "a b", "at": "2026-05-02", "records": []}]', "name 'a b'"),
        ('[{"name": "a.example", "at": "2026-05-02"}]', "records: not a list"),
        ('[{"name": "a.example", "at": "2026-05-02", "records": ["x"]}]', "observation 1: "),
        ('[{"name": "a.example", "at": "2026-05-02", "records": [], "ttl": -1}]', "ttl: not a num"),
        ('[{"name": "a.example", "at": "2026-05-02", "records": [], "ttl": true}]', "ttl: not a"),
        ('[{"name": "a.example", "at": "2026-05-02", "records": [], "dnssec": "x"}]', "dnssec: 'x"),
        ('[{"name": "a.example", "at": "2026-05-02", "records": [], "problem": 1}]', "not text"),
        (
            '[{"name": "a.example", "first_seen": "2026-05-02", "last_seen": "2026-05-01"}]',
            "last_seen is before first_seen",
        ),
    ],
)
def test_what_is_no_observation(text: str, says: str) -> None:
    """The complaint names the observation and the key, in one printable line."""
    with pytest.raises(MalformedError, match=says) as raised:
        parse_observations(text)
    assert str(raised.value).isprintable()


@given(st.one_of(st.text(), st.from_type(dict).map(str)))
def test_any_text(text: str) -> None:
    """Accepted, or refused with our own error."""
    with contextlib.suppress(MalformedError):
        parse_observations(text)
