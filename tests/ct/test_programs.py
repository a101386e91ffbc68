"""Which logs are followed, and how the lists of several programs are merged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pinwarden.ct.loglist import (
    LogList,
    LogState,
    Program,
    is_older,
    is_stale,
    logs_to_follow,
    merge_log_lists,
    parse_log_list,
    why_not_followed,
)
from support.log_lists import (
    AT,
    JUST_NOW,
    LONG_AGO,
    entry,
    list_json,
    read_list,
    read_log,
)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"state": {"pending": {"timestamp": LONG_AGO}}}, None),
        ({"state": {"qualified": {"timestamp": LONG_AGO}}}, None),
        ({"state": {"readonly": {"timestamp": LONG_AGO}}}, None),
        ({"state": {"retired": {"timestamp": JUST_NOW}}}, None),
        ({"state": {"retired": {}}}, None),
        ({"state": {"retired": {"timestamp": LONG_AGO}}}, "it is retired"),
        ({"state": {"rejected": {"timestamp": JUST_NOW}}}, "it is rejected"),
        ({"state": None}, "no program gives it a state"),
        ({"log_type": "test"}, "it is for test purposes"),
        ({"log_type": "monitoring_only"}, "it is for monitoring only purposes"),
        ({"log_type": "prod"}, None),
        ({"url": None}, "no URL is given"),
    ],
)
def test_which_logs_of_a_program_are_followed(fields: dict[str, Any], reason: str | None) -> None:
    """Only what is dead, or was never meant to count, is left out, and it is said why."""
    assert why_not_followed(read_log(entry("A", **fields), Program.CHROME), AT) == reason


@pytest.mark.parametrize(("days", "followed"), [(-29, True), (-31, False), (1, True)])
def test_a_shard_is_followed_a_little_longer_than_its_interval(days: int, followed: bool) -> None:
    """At the end of the interval all certificates are over, but perhaps not all entries read."""
    end = (AT + timedelta(days=days)).isoformat()
    interval = {"start_inclusive": LONG_AGO, "end_exclusive": end}
    log = read_log(entry("A", temporal_interval=interval), Program.CHROME)
    assert (why_not_followed(log, AT) is None) == followed


def test_a_users_log_without_a_state_is_followed() -> None:
    """Whoever names a private log wants it followed."""
    read = read_list(entry("A", state=None))
    assert logs_to_follow(read, AT) == read.logs


def _dated(program: Program, timestamp: str, *logs: dict[str, Any], **top: Any) -> LogList:
    data = list_json(*logs, log_list_timestamp=timestamp, **top)
    return parse_log_list(data, f"{program} {timestamp}", program)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"log_type": "test"}, None),
        ({"state": {"retired": {"timestamp": LONG_AGO}}}, None),
        ({"temporal_interval": {"start_inclusive": LONG_AGO, "end_exclusive": LONG_AGO}}, None),
        ({"state": {"rejected": {"timestamp": JUST_NOW}}}, "it is rejected"),
    ],
)
def test_a_log_on_this_machine_is_meant(fields: dict[str, Any], reason: str | None) -> None:
    """Whoever names a log on loopback wants it read, whatever its age or purpose."""
    log = read_log(entry("A", url="http://127.0.0.1:8080/a/", **fields), Program.USER)
    assert why_not_followed(log, AT) == reason


def test_merging_takes_the_liveliest_state() -> None:
    """A log that one program still trusts is followed, and each program's word is kept."""
    chrome = _dated(Program.CHROME, JUST_NOW, entry("A", state={"rejected": {}}), operator="C")
    apple = _dated(Program.APPLE, JUST_NOW, entry("A"), entry("B"), operator="A")
    for lists in ([chrome, apple], [apple, chrome]):
        merged = merge_log_lists(lists)
        log = merged.by_id[chrome.logs[0].log_id]
        assert (len(merged.logs), log.state) == (2, LogState.USABLE)
        assert log.operator == lists[0].logs[0].operator
        words = {each.program: (each.operator, each.state) for each in log.listings}
        assert words == {
            Program.CHROME: ("C", LogState.REJECTED),
            Program.APPLE: ("A", LogState.USABLE),
        }


def test_merging_lets_the_newer_list_of_a_program_speak() -> None:
    """An older copy of the same list cannot bring a rejected log back."""
    old = _dated(Program.CHROME, LONG_AGO, entry("A"))
    new = _dated(Program.CHROME, JUST_NOW, entry("A", state={"rejected": {}}))
    for lists in ([old, new], [new, old]):
        [log] = merge_log_lists(lists).logs
        assert log.state is LogState.REJECTED


def test_merging_fills_what_a_list_leaves_out() -> None:
    """Mozilla's states and another program's URLs make one log."""
    mozilla = _dated(Program.MOZILLA, JUST_NOW, entry("A", url="", mmd=0))
    interval = {"start_inclusive": LONG_AGO, "end_exclusive": "2030-01-01T00:00:00Z"}
    chrome = _dated(Program.CHROME, JUST_NOW, entry("A", temporal_interval=interval, mmd=60))
    [log] = merge_log_lists([mozilla, chrome]).logs
    assert (log.url, log.mmd) == ("https://a.example.net/", timedelta(minutes=1))
    assert log.interval is not None
    assert {each.program for each in log.listings} == {Program.CHROME, Program.MOZILLA}


def test_merging_keeps_problems_and_the_oldest_date() -> None:
    """A merged list is as old as its oldest part."""
    one = _dated(Program.CHROME, LONG_AGO, entry("A", url=None))
    two = _dated(Program.APPLE, JUST_NOW, entry("B"))
    merged = merge_log_lists([one, two])
    assert merged.problems == one.problems
    assert merged.timestamp == one.timestamp
    assert merge_log_lists([]).logs == ()


@pytest.mark.parametrize(
    ("offered", "known", "older"),
    [
        ({"version": "89.9"}, {"version": "89.25"}, True),
        ({"version": "89.25"}, {"version": "89.9"}, False),
        ({"version": "511"}, {"version": "511"}, False),
        ({"version": "x"}, {"version": "89"}, False),
        ({"version": "9" * 100}, {"version": "1"}, False),
        ({}, {}, False),
        ({"log_list_timestamp": LONG_AGO}, {"log_list_timestamp": JUST_NOW}, True),
        ({"log_list_timestamp": JUST_NOW}, {"log_list_timestamp": LONG_AGO}, False),
        (
            {"log_list_timestamp": LONG_AGO, "version": "9"},
            {"log_list_timestamp": JUST_NOW, "version": "1"},
            True,
        ),
    ],
)
def test_which_of_two_lists_is_older(
    offered: dict[str, str], known: dict[str, str], older: bool
) -> None:
    """The date decides; where one has none, the version does, number by number."""
    assert is_older(read_list(entry("A"), **offered), read_list(entry("A"), **known)) == older


@pytest.mark.parametrize(("days", "stale"), [(69, False), (70, False), (71, True)])
def test_a_list_is_stale_after_ten_weeks(days: int, stale: bool) -> None:
    """As for the browsers, which then stop to enforce."""
    assert is_stale(AT - timedelta(days=days), AT) == stale
    assert not is_stale(None, AT)


def test_the_listing_of_a_program() -> None:
    """A log says what each program says about it, and nothing of one that does not list it."""
    log = read_log(entry("A"), Program.APPLE)
    listing = log.listing(Program.APPLE)
    assert listing is not None
    assert listing.state is LogState.USABLE
    assert log.listing(Program.CHROME) is None
