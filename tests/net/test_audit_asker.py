"""Who asks for audits that others start: what is not said otherwise keeps them outside."""

from __future__ import annotations

import socket

import pytest

from pinwarden.net.audit_asker import USUAL_PORTS, AuditAsker
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedHost
from pinwarden.net.tls import verifying_context
from support.pin_world import HOST, said, world


async def ask(asker: AuditAsker, port: int, host: str = HOST) -> ServedHost:
    return await asker.ask(Endpoint(host, port))


async def test_everything_is_found_out() -> None:
    """Chain, what is handed over and the head of an answer, where all is allowed."""
    asker = AuditAsker(verifying_context(world().cafile), admit=None, ports=None)
    async with world().serve() as server:
        found = await ask(asker, server.port)
    (address,) = found.addresses
    assert address.verified
    assert address.handed is not None
    assert address.response.startswith(b"HTTP/1.1 200 OK")


async def test_without_http() -> None:
    """Nothing is said after the handshake."""
    asker = AuditAsker(verifying_context(world().cafile), admit=None, ports=None, http=False)
    async with world().serve() as server:
        found = await ask(asker, server.port)
        assert said(server) == b""
    assert found.chains


async def test_no_port_but_the_usual_ones() -> None:
    """Nobody looks through us which of a machine's other ports are open."""
    asker = AuditAsker(verifying_context(world().cafile), admit=None)
    async with world().serve() as server:
        by_name = await ask(asker, server.port)
        by_address = await asker.ask(Endpoint(HOST), [("127.0.0.1", server.port)])
        assert server.visits == []
    for found in (by_name, by_address):
        (address,) = found.addresses
        assert address.failure is Failure.FORBIDDEN
        assert address.problem == f"is not asked: {server.port} is none of the ports that may be"


async def test_ports_that_may_be_asked() -> None:
    """Whoever runs the service says which."""
    async with world().serve() as server:
        context = verifying_context(world().cafile)
        asker = AuditAsker(context, admit=None, ports=USUAL_PORTS | {server.port})
        assert (await ask(asker, server.port)).chains


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "::1", "::", "64:ff9b::7f00:1", "2002:a9fe:a9fe::"]
)
async def test_no_address_inside(host: str) -> None:
    """By default nobody is led into the network around us, whatever the host is called."""
    asker = AuditAsker(verifying_context(world().cafile), ports=None)
    async with world().serve() as server:
        found = await ask(asker, server.port, host)
        assert server.visits == []
    assert found.addresses
    assert {each.failure for each in found.addresses} == {Failure.FORBIDDEN}


async def test_a_name_server_that_changes_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the address that was judged is asked, and none is looked up again."""
    judged: list[str] = []
    answers = iter(["127.0.0.1", "127.0.0.99", "127.0.0.99"])

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (next(answers), port))]

    def admit(address: str) -> str | None:
        judged.append(address)
        return None

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    asker = AuditAsker(verifying_context(world().cafile), admit=admit, ports=None)
    async with world().serve("expired") as server:
        found = await ask(asker, server.port)
        # A handshake that does not verify, one for the anchored chain, and the first flight.
        assert len(server.visits) == 3
    assert [each.address for each in found.addresses] == judged == ["127.0.0.1"]
    assert next(answers) == "127.0.0.99"
