"""The servers of the other tests come up on a busy machine too."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from peers import dns_servers
from peers.dns_servers import HOST, named, nsd, unbound
from peers.programs import free_port

pytestmark = pytest.mark.peer

ZONE = "@ 60 IN SOA ns hostmaster 1 2 3 4 5\n@ 60 IN NS ns\nns 60 IN A 127.0.0.1\n"


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
@pytest.mark.parametrize("program", ["named", "nsd", "unbound"])
def test_a_port_that_was_taken_meanwhile(
    program: str, kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Over either protocol: named would go on without it, and nobody would know why."""
    with socket.socket(type=kind) as taker:
        taker.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            taker.listen()
        taken: int = taker.getsockname()[1]
        ports = iter([taken, free_port()])
        monkeypatch.setattr(dns_servers, "free_port", lambda: next(ports))
        if program == "unbound":
            folder = tmp_path / "named"
            folder.mkdir()
            ports = iter([free_port(), taken, free_port()])
            with named(folder, {".": ZONE}) as authority, unbound(tmp_path, authority) as port:
                assert port != taken
            return
        with (named if program == "named" else nsd)(tmp_path, {"example": ZONE}) as port:
            assert port != taken
