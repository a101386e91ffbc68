"""Servers on loopback that begin in plain text, and turn to TLS when they are asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

from pinwarden.lab.tls import Credentials, server_context

_PATIENCE = 10.0
Dialogue = Callable[[socket.socket], None]


def _line(connection: socket.socket) -> bytes:
    got = b""
    while not got.endswith(b"\n"):
        octet = connection.recv(1)
        if not octet:
            raise EOFError
        got += octet
    return got.rstrip(b"\r\n")


def _exactly(connection: socket.socket, octets: int) -> bytes:
    got = b""
    while len(got) < octets:
        more = connection.recv(octets - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def lines(greeting: bytes, *answers: tuple[bytes, bytes]) -> Dialogue:
    """A greeting, then to each line that begins so, case aside, this answer.

    TLS begins after the answer to what ends in TLS.
    """

    def dialogue(connection: socket.socket) -> None:
        connection.sendall(greeting)
        while True:
            said = _line(connection)
            for begins, answer in answers:
                if said.upper().startswith(begins):
                    tag = said.partition(b" ")[0]
                    connection.sendall(answer.replace(b"TAG", tag))
                    if begins.endswith(b"TLS"):
                        return
                    break
            else:
                connection.sendall(b"500 what?\r\n")

    return dialogue


def _postgres(connection: socket.socket) -> None:
    assert _exactly(connection, 8) == bytes.fromhex("0000000804d2162f")
    connection.sendall(b"S")


def _mysql(connection: socket.socket) -> None:
    # Capabilities of a MySQL 8 server, CLIENT_SSL among them.
    body = b"\x0a8.0.36\0" + bytes(4) + b"saltsalt\0" + b"\xff\xff" + b"\x21\x02\0\xff\xdf\x15"
    body += bytes(10) + b"saltsaltsalt\0" + b"caching_sha2_password\0"
    connection.sendall(len(body).to_bytes(3, "little") + b"\0" + body)
    head = _exactly(connection, 4)
    request = _exactly(connection, int.from_bytes(head[:3], "little"))
    assert head[3] == 1, "the second packet of the exchange"
    assert len(request) == 32
    assert int.from_bytes(request[:4], "little") & 0x0800


def _ldap(connection: socket.socket) -> None:
    head = _exactly(connection, 2)
    assert b"1.3.6.1.4.1.1466.20037" in _exactly(connection, head[1])
    connection.sendall(bytes.fromhex("300c02010178070a010004000400"))


def _xmpp(connection: socket.socket) -> None:
    got = b""
    while b"<stream:stream" not in got or not got.rstrip().endswith(b">"):
        got += _exactly(connection, 1)
    connection.sendall(
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' version='1.0' "
        b"xmlns:stream='http://etherx.jabber.org/streams'><stream:features>"
        b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
    )
    got = b""
    while b"<starttls" not in got or not got.rstrip().endswith(b">"):
        got += _exactly(connection, 1)
    connection.sendall(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")


_SMTP_FEATURES = b"250-lab greets you\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
DIALOGUES: dict[str, Dialogue] = {
    "smtp": lines(
        b"220-lab\r\n220 ready\r\n", (b"EHLO", _SMTP_FEATURES), (b"STARTTLS", b"220 go\r\n")
    ),
    "lmtp": lines(b"220 lab\r\n", (b"LHLO", _SMTP_FEATURES), (b"STARTTLS", b"220 go\r\n")),
    "imap": lines(
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS] lab\r\n",
        (b". CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK\r\n"),
        (b"A1 STARTTLS", b"* OK there is more\r\nTAG OK go\r\n"),
        (b". STARTTLS", b". OK go\r\n"),
    ),
    "pop3": lines(b"+OK lab\r\n", (b"CAPA", b"+OK\r\nSTLS\r\n.\r\n"), (b"STLS", b"+OK go\r\n")),
    "sieve": lines(
        b'"IMPLEMENTATION" "lab"\r\n"STARTTLS"\r\nOK ready\r\n', (b"STARTTLS", b"OK go\r\n")
    ),
    "ftp": lines(
        b"220-lab\r\n next\r\n220 ready\r\n",
        (b"FEAT", b"211-Features:\r\n AUTH TLS\r\n211 End\r\n"),
        (b"AUTH TLS", b"234 go\r\n"),
    ),
    "nntp": lines(
        b"201 lab\r\n",
        (b"CAPABILITIES", b"101 list\r\nSTARTTLS\r\n.\r\n"),
        (b"STARTTLS", b"382 go\r\n"),
    ),
    "postgres": _postgres,
    "mysql": _mysql,
    "ldap": _ldap,
    "xmpp": _xmpp,
}


class StartTLSServer:
    """Holds a dialogue with each visitor, then a TLS handshake; `with` it.

    `said` is what came through TLS from any visitor.
    """

    def __init__(self, dialogue: Dialogue, credentials: Credentials) -> None:
        self._dialogue = dialogue
        self.context = server_context(credentials)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.said = b""
        self.problems: list[Exception] = []

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)
        self._listening.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                visitor, _ = self._listening.accept()
            except OSError:
                return
            visitor.settimeout(_PATIENCE)
            self._open.append(visitor)
            self._start(lambda visitor=visitor: self._receive(visitor))  # type: ignore[misc]

    def _receive(self, visitor: socket.socket) -> None:
        with visitor:
            try:
                self._dialogue(visitor)
                with self.context.wrap_socket(visitor, server_side=True) as tls:
                    self.said += tls.recv(4096)
            except (OSError, EOFError, ssl.SSLError):
                pass
            except Exception as error:
                self.problems.append(error)
