"""How the HTTP client tries again, and how hard it asks one host."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.asking import IMPATIENT, MAX, NOW, client, get_once
from net.raw_server import Asked, RawServer, answer
from pinwarden.errors import OutsideError
from pinwarden.net.http import Limits
from pinwarden.net.politeness import HostGate, PausedError, parse_retry_after


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
async def test_a_passing_failure_is_retried(status):
    """Overload, gateways and errors of the moment deserve another attempt."""
    response = await get_once(answer(f"{status} Later"), answer(body=b"ok"))
    assert response.body == b"ok"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
async def test_a_lasting_refusal_is_not_retried(status):
    """Repeating a refused request is load without use."""
    async with RawServer([answer(f"{status} No")]) as server, client() as http:
        with pytest.raises(OutsideError, match=str(status)) as caught:
            await http.get(server.url(), max_bytes=MAX)
    assert len(server.asked) == 1
    assert caught.value.permanent is (status == 410)


async def test_a_refusal_shows_what_the_server_says_about_it():
    """Operators write there what they want; it is bounded and harmless to a terminal."""
    body = b"need tree size: \x1b[31m" + b"x" * 5000
    with pytest.raises(OutsideError, match=r"400 Bad Request: 'need tree size: ") as caught:
        await get_once(answer("400 Bad Request", body=body))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


async def test_the_wait_between_attempts_is_full_jitter_under_a_doubling_ceiling():
    """Each wait is drawn from zero to a ceiling that doubles up to its maximum."""
    ceilings: list[float] = []

    def jitter(most: float) -> float:
        ceilings.append(most)
        return 0.0

    limits = Limits(attempts=6, backoff_first=0.5, backoff_most=4.0)
    async with RawServer([answer("503 No")]) as server, client(limits, jitter=jitter) as http:
        with pytest.raises(OutsideError, match="503 Service Unavailable; 6 attempts"):
            await http.get(server.url(), max_bytes=MAX)
    assert ceilings[:5] == [0.5, 1.0, 2.0, 4.0, 4.0]
    assert len(server.asked) == 6


async def test_a_refused_request_does_not_keep_its_connection():
    """Behind a balancer a kept connection would meet the same tired front end for ever."""
    refusal = answer("429 Slow")
    async with RawServer([refusal, refusal, answer(body=b"x")]) as server, client() as http:
        await http.get(server.url(), max_bytes=MAX)
    assert [asked.connection for asked in server.asked] == [1, 1, 2]


@pytest.mark.parametrize(
    "value", ["1", format_datetime(NOW + timedelta(seconds=1), usegmt=True)], ids=["s", "date"]
)
async def test_both_forms_of_retry_after_are_waited_for(value):
    """The request comes again after the pause, not before."""
    async with (
        RawServer(
            [answer("429 Slow", headers={"Retry-After": value}), answer(body=b"x")]
        ) as server,
        client() as http,
    ):
        started = time.monotonic()
        assert (await http.get(server.url(), max_bytes=MAX)).body == b"x"
        assert time.monotonic() - started >= 0.95


async def test_a_pause_holds_for_every_request_to_the_host():
    """One Retry-After is heard by all, and a longer pause than our patience is told at once."""
    pause = answer("503 Busy", headers={"Retry-After": "600"})
    async with RawServer([pause]) as server, client() as http:
        for _ in range(2):
            with pytest.raises(OutsideError) as caught:
                await http.get(server.url(), max_bytes=MAX)
            assert caught.value.retry_after == pytest.approx(600, abs=5)
        stats = http.stats()[f"http://127.0.0.1:{server.port}"]
    assert len(server.asked) == 1
    assert (stats.requests, stats.failures, stats.in_flight) == (1, 1, 0)
    assert stats.paused_for > 500
    assert stats.last_failure == "answered 503 Service Unavailable"


async def test_no_host_can_silence_us_for_ever():
    """A Retry-After of a century is cut to the configured maximum."""
    pause = answer("503 Busy", headers={"Retry-After": "9" * 40})
    with pytest.raises(OutsideError) as caught:
        await get_once(pause)
    assert caught.value.retry_after == Limits().retry_after_most


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Fri, 20 Nov 2026 12:02:00 GMT", 120.0),
        ("Friday, 20-Nov-26 12:02:00 GMT", 120.0),
        ("Fri Nov 20 12:02:00 2026", 120.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1.5", None),
        ("Fri, 20 Nov 99999 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(value, expected):
    """Seconds, and the three date formats of RFC 9110; nonsense is no hint."""
    assert parse_retry_after(value, NOW) == expected


@given(st.text(max_size=60))
def test_any_retry_after_gives_seconds_or_nothing(value):
    """A hostile header raises nothing and gives no negative wait."""
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or seconds >= 0


# How hard one host is asked


async def test_concurrency_grows_with_good_answers_up_to_its_ceiling():
    """Under steady good answers as many requests run at once as allowed, and no more."""
    running = most = 0

    async def slowly(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        await answer(body=b"x")(asked, writer)

    async with RawServer([slowly]) as server, client(Limits(concurrency=5)) as http:
        await asyncio.gather(*(http.get(server.url(), max_bytes=MAX) for _ in range(120)))
        assert http.stats()[server.url()[:-1]].concurrency == 5
    assert most == 5


def opened_gate(concurrency: float, limits: Limits | None = None) -> tuple[HostGate, list[float]]:
    clock = [100.0]
    gate = HostGate(limits or Limits(), lambda: clock[0])
    gate.concurrency = concurrency
    return gate, clock


async def test_overload_halves_once_for_all_requests_under_way_together():
    """Eight refused at the same moment are one signal, the next round is another."""
    gate, clock = opened_gate(8)
    entered = [await gate.enter(0) for _ in range(8)]
    clock[0] += 1
    for moment in entered:
        gate.overloaded(moment)
        gate.leave()
    assert gate.concurrency == 4
    clock[0] += 1
    gate.overloaded(await gate.enter(0))
    assert gate.concurrency == 2
    for _ in range(5):
        clock[0] += 1
        gate.overloaded(clock[0])
    assert gate.concurrency == 1


async def test_an_idle_host_does_not_earn_concurrency():
    """One request after the other proves nothing about eight at once."""
    gate, _ = opened_gate(2)
    for _ in range(50):
        await gate.enter(0)
        gate.succeeded()
        gate.leave()
    assert gate.concurrency == 2


async def test_timeouts_and_throttling_halve_the_concurrency():
    """Both are how an overloaded server looks from outside."""

    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    for handler in (silent, answer("429 Slow")):
        async with RawServer([handler]) as server, client(IMPATIENT) as http:
            with pytest.raises(OutsideError):
                await http.get(server.url(), max_bytes=MAX)
            assert http.stats()[server.url()[:-1]].concurrency == 1


async def test_a_cancelled_waiter_leaves_its_slot_to_the_next():
    """Neither one cancelled in the queue nor one cancelled at the door loses a slot."""
    gate, _ = opened_gate(1, Limits(concurrency=1))
    await gate.enter(0)
    waiting = [asyncio.create_task(gate.enter(0)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    gate.leave()
    waiting[1].cancel()
    await asyncio.wait_for(waiting[2], 1)
    assert gate.in_flight == 1
    gate.leave()
    assert gate.in_flight == 0


async def test_a_pause_longer_than_the_patience_takes_no_slot():
    """Who will not wait is told how long it would have been."""
    gate, clock = opened_gate(2)
    gate.pause(30)
    with pytest.raises(PausedError) as caught:
        await gate.enter(10)
    assert (caught.value.seconds, gate.in_flight) == (30, 0)
    clock[0] += 31
    await gate.enter(10)
    assert gate.in_flight == 1


async def test_requests_per_second_are_spaced_out():
    """With ten a second the sixth request starts half a second after the first."""
    limits = Limits(requests_per_second=10)
    async with RawServer([answer(body=b"x")]) as server, client(limits) as http:
        started = time.monotonic()
        await asyncio.gather(*(http.get(server.url(), max_bytes=MAX) for _ in range(6)))
        assert time.monotonic() - started >= 0.48


async def test_a_cancelled_request_frees_its_slot():
    """Stopping a worker in mid request leaves the host open for others."""

    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with (
        RawServer([silent, answer(body=b"x")]) as server,
        client(Limits(concurrency=1)) as http,
    ):
        task = asyncio.create_task(http.get(server.url(), max_bytes=MAX))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await http.get(server.url(), max_bytes=MAX)).body == b"x"
