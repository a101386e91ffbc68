"""Many hosts asked at once: none of them takes what the others need."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from pinwarden.net.endpoint import Endpoint
from pinwarden.net.tls import TLSAsker, verifying_context
from support.broken_servers import closed_port
from support.pin_world import HOST, world

PATIENCE = 20.0


def asker(parallel: int = 16) -> TLSAsker:
    return TLSAsker(verifying_context(world().cafile), timeout=PATIENCE, parallel=parallel)


async def test_names_without_servers_stop_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver may be silent for long about some names, and has to tell of the others."""
    over = threading.Event()

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host != HOST:
            over.wait(PATIENCE)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    asking = asker()
    async with world().serve() as server:
        dead = [
            asyncio.create_task(asking.ask(Endpoint(f"{number}.example"))) for number in range(20)
        ]
        await asyncio.sleep(0)
        try:
            found = await asking.ask(Endpoint(HOST, server.port))
            assert not any(each.done() for each in dead)
        finally:
            over.set()
            failed = await asyncio.gather(*dead)
    assert found.chains
    assert {each.problem for each in failed} == {"has no address: no answer"}


async def test_many_slow_addresses_leave_others_their_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host that hangs at each address holds no more slots than its part."""
    hanging: set[str] = set()
    half, over = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hanging.add(writer.get_extra_info("sockname")[0])
        if len(hanging) == 4:
            half.set()
        await over.wait()
        writer.close()

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        last = range(1, 2 if host == HOST else 20)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (f"127.0.0.{each}", port)) for each in last
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    asking = asker(parallel=8)
    port = closed_port()
    everywhere = [f"127.0.0.{each}" for each in range(1, 20)]
    async with await asyncio.start_server(hang, everywhere, port), world().serve() as server:
        attack = asyncio.create_task(asking.ask(Endpoint("slow.example", port)))
        others = asyncio.create_task(asking.ask(Endpoint(HOST, server.port)))
        try:
            await asyncio.wait_for(half.wait(), PATIENCE)
            assert (await others).chains
            assert len(hanging) == 4
        finally:
            over.set()
            await attack
