"""The relay: for clients whose TLS is their own, such as libpq."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from peers.programs import eventually, free_port, program, running, words_of
from pinwarden.clients import LivePins, PinMismatch, PinnedContext
from pinwarden.clients.relay import PinnedRelay
from pinwarden.errors import ConfigError
from pinwarden.lab.ca import key_pem, pem
from support import talk
from support.origin import Conversation, Origin
from support.pin_world import HOST, pin_set, world

_PATIENCE = 20


def context(pins: str | LivePins = "good") -> PinnedContext:
    held = pin_set(pins) if isinstance(pins, str) else pins
    return PinnedContext(held, cadata=world().bundle)


@contextmanager
def through(relay: PinnedRelay) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_PATIENCE)
        client.connect(relay.path)
        yield client


def echo(conversation: Conversation) -> None:
    while True:
        conversation.say(conversation.more())


def test_bytes_go_both_ways_at_once() -> None:
    """More than any buffer holds, while nobody reads yet."""
    sent = os.urandom(3_000_000)
    with (
        Origin(world().chains["genuine"], echo) as origin,
        PinnedRelay(context(), HOST, origin.port) as relay,
        through(relay) as client,
    ):

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=lambda: client.sendall(sent))
        sending.start()
        got = bytearray()
        while len(got) < len(sent):
            more = client.recv(65536)
            assert more
            got += more
        sending.join()
        assert bytes(got) == sent
        assert relay.failure is None


def test_a_rogue_is_told_nothing() -> None:
    with (
        Origin(world().chains["rogue"], echo) as origin,
        PinnedRelay(context(), HOST, origin.port) as relay,
    ):
        with through(relay) as client, suppress(OSError):
            client.sendall(b"secret")
            assert client.recv(100) == b""
        assert isinstance(relay.failure, PinMismatch)
        assert origin.drained() == 0


def test_an_open_connection_is_cut_when_the_set_changes() -> None:
    live = LivePins(pin_set("good"))
    with (
        Origin(world().chains["genuine"], echo) as origin,
        PinnedRelay(context(live), HOST, origin.port) as relay,
        through(relay) as client,
    ):
        client.sendall(b"one")
        assert client.recv(100) == b"one"
        live.replace(pin_set("root"))
        client.sendall(b"two")
        assert client.recv(100) == b"two"
        live.replace(pin_set("wrong"))
        client.sendall(b"secret")
        assert client.recv(100) == b""
        assert isinstance(relay.failure, PinMismatch)
        assert origin.drained() == len(b"onetwo")


def test_only_this_user_may_enter() -> None:
    with PinnedRelay(context(), HOST, 1) as relay:
        assert stat.S_IMODE(Path(relay.folder).stat().st_mode) == 0o700
        folder = Path(relay.folder)
    assert not folder.exists()


def test_closing_ends_what_is_open() -> None:
    with Origin(world().chains["genuine"], echo) as origin:
        with PinnedRelay(context(), HOST, origin.port) as relay, through(relay) as client:
            client.sendall(b"one")
            assert client.recv(100) == b"one"
            relay.close()
            assert client.recv(100) == b""
        assert origin.drained() == 3
    with socket.socket(socket.AF_UNIX) as late, pytest.raises(OSError):  # noqa: PT011
        late.connect(relay.path)


def test_nobody_there() -> None:
    with PinnedRelay(context(), HOST, free_port(), starttls="postgres") as relay:
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(host=relay.folder, user="u")
        assert isinstance(relay.failure, ConnectionError)


def test_other_words_for_starttls_are_refused() -> None:
    with pytest.raises(ConfigError, match="starttls"):
        PinnedRelay(context(), HOST, 1, starttls="mysql")  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [b"N", b"E", b""])
def test_postgres_without_tls_is_no_connection(answer: bytes) -> None:
    """There is no going on in plain text."""

    def plainly(visitor: socket.socket) -> None:
        assert visitor.recv(8)
        visitor.sendall(answer)
        while visitor.recv(100):
            pass
        raise EOFError

    with (
        Origin(
            world().chains["genuine"], talk.postgres, before_tls=plainly if answer else _hang_up
        ) as origin,
        PinnedRelay(context(), HOST, origin.port, starttls="postgres") as relay,
    ):
        with pytest.raises(psycopg.OperationalError, match="does not speak TLS"):
            psycopg.connect(host=relay.folder, user="u", password="secret")
        assert origin.drained() == 0


def _hang_up(visitor: socket.socket) -> None:
    visitor.recv(8)
    raise EOFError


def test_bytes_behind_the_answer_are_not_taken_for_the_server(  # CVE-2021-23222
) -> None:
    def stuffed(visitor: socket.socket) -> None:
        assert visitor.recv(8)
        visitor.sendall(b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")

    with (
        Origin(world().chains["genuine"], talk.postgres, before_tls=stuffed) as origin,
        PinnedRelay(context(), HOST, origin.port, starttls="postgres") as relay,
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=relay.folder, user="u", password="secret")
        assert origin.drained() == 0


def test_postgres_clients_are_told_why() -> None:
    with (
        Origin(
            world().chains["rogue"], talk.postgres, before_tls=talk.postgres_ssl_request
        ) as origin,
        PinnedRelay(context(), HOST, origin.port, starttls="postgres") as relay,
    ):
        with pytest.raises(psycopg.OperationalError, match="no pinned key is in the verified"):
            psycopg.connect(host=relay.folder, user="u", password="secret")
        assert origin.drained() == 0


@pytest.mark.peer
def test_with_the_real_server(open_folder: Path) -> None:
    """Passwords by SCRAM, a large answer, a cancelled query, and a changed set."""
    folder = open_folder
    data, port, shown = folder / "data", free_port(), world().chains["genuine"]
    server, initdb = program("postgres"), program("initdb")
    secret = folder / "secret"
    secret.write_text("secret\n")
    secret.chmod(0o644)
    as_somebody = _not_as_root()
    made = subprocess.run(
        [*as_somebody, initdb, "-D", data, "-U", "u", "-A", "scram-sha-256", "--pwfile", secret],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
    )
    if made.returncode:
        pytest.skip(f"initdb does not work here: {made.stderr.strip().splitlines()[-1]}")
    (data / "key.pem").write_bytes(key_pem(shown.private_key))
    (data / "chain.pem").write_bytes(pem(shown.certificates))
    (data / "key.pem").chmod(0o600)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    if as_somebody:
        subprocess.run(["chown", "-R", "65534", data], check=True)
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": "chain.pem",
        "ssl_key_file": "key.pem",
        "fsync": "off",
    }
    settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    live = LivePins(pin_set("good"))
    with (
        running([*as_somebody, server, "-D", data, *settings], folder) as child,
        PinnedRelay(context(live), HOST, port, starttls="postgres") as relay,
    ):
        _converse(relay, live, lambda: child.poll() is None, folder)


def _converse(relay: PinnedRelay, live: LivePins, lives: object, folder: Path) -> None:
    def connect() -> psycopg.Connection:
        return psycopg.connect(
            host=relay.folder, user="u", password="secret", dbname="postgres", autocommit=True
        )

    def answers() -> bool:
        assert lives(), words_of(folder)  # type: ignore[operator]
        with suppress(psycopg.OperationalError):
            connect().close()
            return True
        return False

    assert eventually(answers), f"{relay.failure!r} {words_of(folder)}"
    with connect() as connection:
        query = "select ssl, repeat('x', 2000000) from pg_stat_ssl where pid = pg_backend_pid()"
        row = connection.execute(query).fetchone()
        assert row is not None
        assert (row[0], len(row[1])) == (True, 2_000_000)
        cancelling = threading.Timer(0.3, connection.cancel_safe)
        cancelling.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(60)")
        # It has a connection of its own, which the new set would cut.
        cancelling.join()
        live.replace(pin_set("wrong"))
        with pytest.raises(psycopg.OperationalError, match="no pinned key"):
            connection.execute("select 'secret'")
    assert isinstance(relay.failure, PinMismatch)


def _not_as_root() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that another user may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="pinwarden-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
