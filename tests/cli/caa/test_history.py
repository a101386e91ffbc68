"""`pinwarden caa history`: what was seen, and whether a certificate was allowed then."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.watching import Home
from pinwarden.caa.history.observation import Observation
from pinwarden.caa.lookup import DNSSECState, Failure
from pinwarden.store.store import open_store

CA1, CA2 = ('0 issue "ca1.example.net"',), ('0 issue "ca2.example.org"',)
ISSUED = datetime(2026, 5, 2, 12, tzinfo=UTC)


def _cases() -> list[dict[str, Any]]:
    file = Path(__file__).parents[2] / "vectors" / "caa-temporal.json"
    cases: list[dict[str, Any]] = json.loads(file.read_text())
    return cases


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["id"])
def test_committed_cases(home: Home, case: dict[str, Any]) -> None:
    """The cases by the way of a file of observations."""
    file = home.folder / "seen.json"
    file.write_text(json.dumps(case["observations"]))
    shown = case["certificate"]
    issuer = () if shown["issuer"] is None else ("--issuer", shown["issuer"])
    when = ("--at", shown["earliest_sct"]) if shown["earliest_sct"] else ()
    ran = home.run_here(
        *("caa", "history", *shown["names"], "--observations", str(file), "--json"),
        *(*issuer, *when, "--not-before", shown["not_before"]),
    )
    [answer] = ran.checked(0 if case["expect"]["verdict"] == "authorized" else 1).lines
    assert (answer["verdict"], answer["reason"]) == (
        case["expect"]["verdict"],
        case["expect"]["reason"],
    )


def look(hours: float, records: tuple[str, ...], **other: Any) -> Observation:
    at = ISSUED + timedelta(hours=hours)
    values: dict[str, Any] = {
        "name": "www.example.com",
        "relevant_name": "example.com",
        "records": records,
        "ttl": 300,
        "dnssec": DNSSECState.SECURE,
        "resolver": "127.0.0.1:53 (udp)",
        "first_seen": at,
        "last_seen": at,
    }
    return Observation(**(values | other))


@pytest.fixture
def store(home: Home) -> str:
    url = f"sqlite:///{home.store}"
    looks = [look(-20, CA1), look(-19, CA1), look(-3, CA1), look(-2, CA1), look(5, CA2)]
    looks.append(look(6, (), failure=Failure.SERVFAIL, problem="SERVFAIL \x1b[31m", ttl=None))

    async def keep() -> None:
        async with await open_store(url) as opened:
            for each in looks:
                await opened.record_observations([each], at=ISSUED)

    asyncio.run(keep())
    return url


def test_the_list(home: Home, store: str) -> None:
    """A line for each stretch of time, with its records below."""
    ran = home.run_here("caa", "history", "www.example.com", "--store", store).checked(0)
    facts = "(2 looks, at most 1 h 0 min apart, TTL 300 s, DNSSEC secure)"
    assert ran.out.splitlines() == [
        "www.example.com, asked: 127.0.0.1:53 (udp)",
        f"  2026-05-01 16:00:00 UTC to 2026-05-01 17:00:00 UTC {facts}",
        "      at example.com:",
        '      0 issue "ca1.example.net"',
        f"  2026-05-02 09:00:00 UTC to 2026-05-02 10:00:00 UTC {facts}",
        "      at example.com:",
        '      0 issue "ca1.example.net"',
        "  2026-05-02 17:00:00 UTC (1 look, TTL 300 s, DNSSEC secure)",
        "      at example.com:",
        '      0 issue "ca2.example.org"',
        "  2026-05-02 18:00:00 UTC (1 look, DNSSEC secure)",
        "      failed, servfail: SERVFAIL \\x1b[31m",
    ]


def test_what_is_listed_can_be_read_again(home: Home, store: str) -> None:
    """JSON lines are observations for `--observations`."""
    arguments = ("caa", "history", "www.example.com", "--store", store, "--json")
    lines = home.run_here(*arguments).checked(0).lines
    assert [each["count"] for each in lines] == [2, 2, 1, 1]
    assert lines[3]["failure"] == "servfail"
    since = home.run_here(*arguments, "--since", "2026-05-02T12:00Z").checked(0).lines
    assert since == lines[2:]
    file = home.folder / "seen.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    again = home.run_here(
        "caa", "history", "www.example.com", "--observations", str(file), "--json"
    ).checked(0)
    assert again.lines == lines


def test_a_verdict(home: Home, store: str) -> None:
    """Verdict, reasons and the policies that it rests on."""
    arguments = (
        *("caa", "history", "*.www.example.com", "--store", store),
        *("--at", "2026-05-02T12:00:00Z"),
    )
    ran = home.run_here(*arguments, "--issuer", "ca1.example.net", "--json").checked(0)
    [answer] = ran.lines
    assert answer["verdict"] == "authorized"
    assert answer["reason"] == "policy-at-issuance"
    assert (answer["by_sct"], answer["at"]) == (True, "2026-05-02T12:00:00Z")
    assert answer["profile"] == "rfc8659"
    [name] = answer["names"]
    assert (name["name"], name["wildcard"]) == ("www.example.com", True)
    assert name["since"] == "2026-05-02T04:00:00Z"
    assert name["longest_gap_seconds"] == 16 * 3600
    [policy] = name["policies"]
    assert (policy["verdict"], policy["until"]) == ("allowed", "2026-05-02T17:00:00Z")
    ran = home.run_here(*arguments, "--issuer", "ca2.example.org").checked(1)
    assert ran.out.startswith("unauthorized (issuer-not-listed): issued at 2026-05-02 12:00:00 UTC")
    assert "*.www.example.com: unauthorized" in ran.out
    assert home.run_here(*arguments, "--issuer", "a", "--issuer", "ca1.example.net").code == 0
    # Who issued is not said, so it cannot be told.
    assert home.run_here(*arguments).checked(1).out.startswith("unknown (issuer-not-mapped)")


def test_without_an_sct(home: Home, store: str) -> None:
    """The certificate's own word is taken, and it is said so."""
    ran = home.run_here(
        *("caa", "history", "www.example.com", "--wildcard", "--store", store),
        *("--not-before", "2026-05-02T12:00:00", "--issuer", "ca1.example.net"),
    ).checked(0)
    assert "notBefore" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a b",), "name 'a b'"),
        (("example.com", "--at", "noon"), "--at 'noon': not a date or time"),
        (("example.com", "--issuer", "x"), "--issuer: means something with --at"),
        (("example.com", "--wildcard"), "--wildcard: means something with --at"),
        (("example.com", "--observations", "nowhere.json"), "--observations nowhere.json"),
        (("example.com", "--observations", "bad.json"), "bad.json'?: observation 1: not a JSON"),
        ((), "Missing argument"),
    ],
)
def test_mistakes(home: Home, arguments: tuple[str, ...], says: str) -> None:
    """One clear line."""
    (home.folder / "bad.json").write_text("[1]")
    ran = home.run_here("caa", "history", *arguments).checked(2)
    assert re.search(says, ran.err), ran.err


def test_nothing_was_seen(home: Home, store: str) -> None:
    """Of a name that nobody observed nothing is known, and that is no pass."""
    ran = home.run_here("caa", "history", "other.example", "--store", store).checked(0)
    assert ran.out == ""
    assert "other.example: never observed" in ran.err
    names = ("www.example.com", "other.example")
    ran = home.run_here("caa", "history", *names, "--since", "2030-01-01", "--store", store)
    assert ran.checked(0).out == ""
    assert "www.example.com: not observed since then\n" in ran.err
    assert "other.example: never observed" in ran.err
    ran = home.run_here(
        *("caa", "history", "other.example", "--store", store, "--at", "2026-05-02"),
        *("--issuer", "ca1.example.net"),
    ).checked(1)
    assert ran.out.startswith("unknown (no-observation-in-window)")


@pytest.mark.parametrize("moment", ["0001-01-01", "0001-01-01T02:00+14:00", "9999-12-31T23:00Z"])
@pytest.mark.parametrize("option", ["--at", "--not-before", "--since"])
def test_moments_at_the_ends_of_the_calendar(
    home: Home, store: str, moment: str, option: str
) -> None:
    """They leave no room for a window, and are refused in one line."""
    ran = home.run_here("caa", "history", "www.example.com", option, moment, "--store", store)
    assert f"{option} '{moment}': not a date or time" in ran.checked(2).err
