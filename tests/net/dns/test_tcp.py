"""TCP and TLS: many questions over one connection, and servers that misbehave on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from net.dns.asking import IMPATIENT, PATIENT, ZONES, resolver
from net.dns.forger import listening, message
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.errors import ConfigError
from pinwarden.lab.ca import CA, pem
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.tls import Credentials
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server


async def asked(server: str, timeout: float = PATIENT) -> Lookup:  # noqa: ASYNC109
    async with open_resolver(parse_server(server), timeout=timeout) as asking:
        return await asking.look_up("example.com")


async def test_all_questions_share_a_connection() -> None:
    lab = LabDNS(ZONES)
    async with lab, resolver(lab, scheme="tcp") as asking:
        names = [f"n{n}.example.com" for n in range(300)]
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.outcome for each in lookups} == {Outcome.NO_SUCH_NAME}
    assert {each.transport for each in lookups} == {"tcp"}
    assert lab.connections["tcp"] == 1


async def test_answers_in_any_order() -> None:
    """RFC 7766 section 7: the slow one holds nobody up."""
    lab = LabDNS(ZONES)
    lab.delays["example.com"] = 0.1
    async with lab, resolver(lab, scheme="tcp") as asking:
        slow = asyncio.create_task(asking.look_up("example.com"))
        await asyncio.sleep(0.01)
        assert (await asking.look_up("b.example.com")).records
        assert not slow.done()
        assert (await slow).records


async def test_a_connection_that_was_closed_is_opened_again() -> None:
    """RFC 7766 section 6.2.4; the question between is not lost."""
    visits = 0
    lab = LabDNS(ZONES)

    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        wire = lab.answer(await message(reader), "tcp")
        assert wire is not None
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()

    async with listening(one_answer) as server, open_resolver(parse_server(server)) as asking:
        for name in ("example.com", "b.example.com", "empty.example.com"):
            lookup = await asking.look_up(name)
            assert lookup.outcome != Outcome.FAILED
            assert lookup.attempts == 1
    assert visits == 3


async def test_a_server_that_hangs_up() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await message(reader)

    async with listening(hang_up) as server:
        lookup = await asked(server)
    assert lookup.failure == Failure.UNREACHABLE
    assert "closed the connection before it answered" in lookup.problem


async def test_a_server_that_never_ends_its_message() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await message(reader)
        writer.write(b"\xff\xff")
        while True:
            writer.write(b"\0")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with listening(trickle) as server:
        lookup = await asked(server, IMPATIENT)
    assert (lookup.failure, lookup.attempts) == (Failure.TIMEOUT, 2)


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    """A server that floods is not read on."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await message(reader)
        while True:
            writer.write((b"\0\x0c" + bytes(12)) * 1000)
            await writer.drain()

    async with listening(flood) as server:
        lookup = await asked(server)
    assert lookup.failure == Failure.MALFORMED
    assert "with an id that was not asked" in lookup.problem


async def test_nobody_listens() -> None:
    async with LabDNS(ZONES) as lab:
        pass
    lookup = await asked(f"tcp://127.0.0.1:{lab.port}")
    assert lookup.failure == Failure.UNREACHABLE
    assert "cannot be connected to" in lookup.problem


@pytest.fixture(scope="module")
def authority() -> CA:
    return CA("DNS CA")


@pytest.fixture
def cafile(authority: CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_bytes(pem([authority.root]))
    return str(path)


@pytest.fixture
async def secure(authority: CA) -> AsyncIterator[LabDNS]:
    credentials = Credentials.of(authority.issue(["dns.example"]))
    async with LabDNS(ZONES, "validating", secure=["."], credentials=credentials) as running:
        yield running


async def test_over_tls(secure: LabDNS, cafile: str) -> None:
    server = parse_server(f"tls://127.0.0.1:{secure.tls_port}#dns.example")
    async with open_resolver(server, cafile=cafile) as asking:
        names = ["example.com", "www.example.com", "missing.example.com"]
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.transport for each in lookups} == {"tls"}
    assert {each.dnssec for each in lookups} == {DNSSECState.SECURE}
    assert secure.connections["tls"] == 1


@pytest.mark.parametrize("name", ["", "#dns.elsewhere"])
async def test_a_certificate_for_another_name(secure: LabDNS, cafile: str, name: str) -> None:
    """Whoever answers must be who was asked, or its answers mean nothing."""
    server = parse_server(f"tls://127.0.0.1:{secure.tls_port}{name}")
    async with open_resolver(server, cafile=cafile) as asking:
        lookup = await asking.look_up("example.com")
    assert lookup.failure == Failure.UNREACHABLE
    assert "TLS certificate does not verify" in lookup.problem
    assert secure.queries == []


async def test_a_certificate_of_an_unknown_authority(secure: LabDNS) -> None:
    lookup = await asked(f"tls://127.0.0.1:{secure.tls_port}#dns.example")
    assert "TLS certificate does not verify" in lookup.problem


async def test_authorities_of_the_environment(
    secure: LabDNS, cafile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's own variable names those that count instead of the system's."""
    monkeypatch.setenv("SSL_CERT_FILE", cafile)
    assert (await asked(f"tls://127.0.0.1:{secure.tls_port}#dns.example")).records


async def test_tls_to_a_server_without(secure: LabDNS, cafile: str) -> None:
    server = parse_server(f"tls://127.0.0.1:{secure.port}")
    async with open_resolver(server, cafile=cafile, timeout=1.0) as asking:
        lookup = await asking.look_up("example.com")
    assert lookup.outcome == Outcome.FAILED
    assert lookup.problem.isprintable()


async def test_a_file_without_authorities(tmp_path: Path) -> None:
    server = parse_server("tls://127.0.0.1")
    with pytest.raises(ConfigError, match="holds no certificates"):
        async with open_resolver(server, cafile=str(tmp_path / "none")):
            pass


async def test_half_an_answer() -> None:
    """What ends in the middle is no answer, however much of it would have been one."""
    lab = LabDNS(ZONES)

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = lab.answer(await message(reader), "tcp")
        assert wire is not None
        writer.write(len(wire).to_bytes(2, "big") + wire[: len(wire) // 2])
        await writer.drain()

    async with listening(half) as server:
        lookup = await asked(server)
    assert (lookup.failure, lookup.records) == (Failure.UNREACHABLE, ())
    assert "closed the connection before it answered" in lookup.problem


async def test_byte_by_byte() -> None:
    """Slow, but within the time: an answer like any other."""
    lab = LabDNS(ZONES)

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = lab.answer(await message(reader), "tcp")
        assert wire is not None
        for octet in len(wire).to_bytes(2, "big") + wire:
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(0)

    async with listening(slow) as server:
        assert (await asked(server)).records


async def test_a_connection_that_went_dead() -> None:
    """Nobody says that the other end is gone: the next attempt goes over a new connection."""
    visits = 0
    lab = LabDNS(ZONES)

    async def dead_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await reader.read()
            return
        while True:
            wire = lab.answer(await message(reader), "tcp")
            assert wire is not None
            writer.write(len(wire).to_bytes(2, "big") + wire)

    async with (
        listening(dead_at_first) as server,
        open_resolver(parse_server(server), timeout=0.5) as asking,
    ):
        names = ["example.com", "b.example.com", "www.example.com"]
        lookups = await asyncio.gather(*map(asking.look_up, names))
        assert (await asking.look_up("empty.example.com")).outcome == Outcome.NO_DATA
    assert all(each.records for each in lookups)
    assert visits == 2


@pytest.mark.parametrize("begins", [-30, 1])
async def test_a_certificate_that_is_not_valid_now(authority: CA, cafile: str, begins: int) -> None:
    begin = datetime.now(UTC) + timedelta(days=begins)
    issued = authority.issue(["dns.example"], not_before=begin, days=20)
    async with LabDNS(ZONES, credentials=Credentials.of(issued)) as lab:
        server = parse_server(f"tls://127.0.0.1:{lab.tls_port}#dns.example")
        async with open_resolver(server, cafile=cafile) as asking:
            lookup = await asking.look_up("example.com")
    assert lookup.failure == Failure.UNREACHABLE
    assert "TLS certificate does not verify" in lookup.problem
    assert lab.queries == []
