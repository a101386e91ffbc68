"""Bundles and real connections: what is open, and what comes, is held to the newest one."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from pinwarden.clients import PinMismatch, PinnedContext
from pinwarden.clients.bundle import BundleSource
from pinwarden.lab.tls import LabTLS
from support.pin_bundles import KEYS, NAME, file_of, fresh, octets_of
from support.pin_world import pin_set, said, world

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Moving:
    """A source whose next bundle the test decides, and a context that is held to it."""

    def __init__(self, pins: str, **times: datetime) -> None:
        self.version = 1
        self.next = octets_of(file_of(fresh(1, pins=pin_set(pins), **times)))
        self.source = BundleSource(
            lambda: self.next,
            name=NAME,
            keys=KEYS.keys,
            threshold=2,
            cache=None,
            when_stale="closed",
            initial=self.next,
        )
        self.context = PinnedContext(self.source.live, cafile=world().cafile)

    def move(self, pins: str) -> None:
        self.version += 1
        self.next = octets_of(file_of(fresh(self.version, pins=pin_set(pins))))
        assert self.source.refresh().outcome == "updated"

    def connect(self, server: LabTLS) -> ssl.SSLSocket:
        plain = socket.create_connection(server.address, 30)
        try:
            return self.context.wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise


def ask(connection: ssl.SSLSocket) -> bytes:
    connection.sendall(REQUEST)
    return connection.recv(4096)


def test_an_open_connection_is_cut_by_a_bundle_that_withdraws_its_key() -> None:
    moving = Moving("good")
    with world().serve("genuine") as server, moving.connect(server) as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200")
        before = said(server)
        moving.move("wrong")
        with pytest.raises(PinMismatch):
            connection.sendall(REQUEST)
        with pytest.raises(PinMismatch):
            moving.connect(server)
        assert said(server) == before


def test_an_open_connection_lives_on_under_a_bundle_that_it_meets() -> None:
    moving = Moving("good")
    with world().serve("genuine") as server, moving.connect(server) as connection:
        ask(connection)
        moving.move("root")
        assert ask(connection)


def test_a_bundle_lets_clients_in_again() -> None:
    """What bundles are for: the pins were wrong, and nobody had to install anything."""
    moving = Moving("wrong")
    with world().serve("genuine") as server:
        with pytest.raises(PinMismatch):
            moving.connect(server)
        moving.move("good")
        with moving.connect(server) as connection:
            assert ask(connection)


def test_a_stale_bundle_closes_before_a_byte_is_said() -> None:
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    moving = Moving("good", issued=yesterday - timedelta(days=9), expires=yesterday)
    with world().serve("genuine") as server:
        with pytest.raises(PinMismatch, match="no newer bundle came"):
            moving.connect(server)
        assert said(server) == b""
        moving.move("good")
        with moving.connect(server) as connection:
            assert ask(connection)
