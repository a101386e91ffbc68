"""A TLS server for one protocol that counts what came through TLS, and whether it was resumed.

Unlike the lab's server it keeps one context, so that sessions can be resumed, and it speaks
whatever it is given.
"""

from __future__ import annotations

import contextlib
import gc
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from pinwarden.lab.tls import Credentials, server_context

__all__ = ["HOST", "Conversation", "Origin", "Visit"]

HOST = "127.0.0.1"
_MOMENT = 0.05
_PATIENCE = 20


@dataclass(slots=True)
class Visit:
    """One connection; `said` is what came through TLS, empty if nothing did."""

    said: bytearray = field(default_factory=bytearray)
    handshake: bool = False
    resumed: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


class Conversation:
    """One connection as a protocol sees it: whatever is read is counted."""

    def __init__(self, connection: ssl.SSLSocket, visit: Visit) -> None:
        self.connection = connection
        self._visit = visit
        self._kept = b""

    @property
    def alpn(self) -> str | None:
        """The protocol that was agreed on in the handshake."""
        return self.connection.selected_alpn_protocol()

    def more(self) -> bytes:
        """The next bytes, at least one; raises EOFError at the end."""
        if self._kept:
            kept, self._kept = self._kept, b""
            return kept
        got = self.connection.recv(65536)
        self._visit.said += got
        if not got:
            raise EOFError
        return got

    def until(self, end: bytes) -> bytes:
        """Everything up to and with `end`."""
        read = self.more()
        while end not in read:
            read += self.more()
        found, _, self._kept = read.partition(end)
        return found + end

    def exactly(self, length: int) -> bytes:
        """So many bytes."""
        read = b""
        while len(read) < length:
            read += self.more()
        self._kept = read[length:]
        return read[:length]

    def line(self) -> bytes:
        """One line, without its end."""
        return self.until(b"\n").rstrip(b"\r\n")

    def say(self, data: bytes) -> None:
        """Send."""
        self.connection.sendall(data)


Speak = Callable[[Conversation], None]


class Origin:
    """Shows these credentials on 127.0.0.1 and then speaks; `visits` are all connections.

    `speak` returns or raises EOFError when the conversation is over. `before_tls` is what
    is said on the bare socket before the handshake (STARTTLS).
    """

    def __init__(
        self,
        credentials: Credentials,
        speak: Speak,
        *,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        alpn: tuple[str, ...] = (),
        before_tls: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self.visits: list[Visit] = []
        self._context = server_context(credentials, newest=newest, alpn=alpn)
        self._speak = speak
        self._before_tls = before_tls
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def said(self) -> int:
        """How many bytes of application data came from all visitors together."""
        return sum(len(each.said) for each in self.visits)

    @property
    def resumed(self) -> int:
        """How many visitors resumed a session."""
        return sum(each.resumed for each in self.visits)

    def drained(self) -> int:
        """`said` when every visitor so far has hung up; fails if one does not."""
        for each in list(self.visits):
            if not each.ended.wait(_MOMENT):
                # Some clients leave it to the collector to close what an error holds, and
                # what is young is soon looked through.
                gc.collect(1)
            if not each.ended.wait(_MOMENT):
                gc.collect()
            assert each.ended.wait(_PATIENCE), "a client left its connection open"
        return self.said

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_PATIENCE)
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for visit in self.visits:
            visit.ended.wait(_PATIENCE)

    def _accept(self) -> None:
        while not self._closing:
            with contextlib.suppress(OSError):
                visitor, _ = self._listening.accept()
                visit = Visit()
                self.visits.append(visit)
                threading.Thread(target=partial(self._receive, visitor, visit), daemon=True).start()

    def _receive(self, visitor: socket.socket, visit: Visit) -> None:
        self._open.add(visitor)
        try:
            with visitor:
                if self._before_tls is not None:
                    self._before_tls(visitor)
                with self._context.wrap_socket(
                    visitor, server_side=True, do_handshake_on_connect=False
                ) as tls:
                    self._open.add(tls)
                    self._converse(tls, visit)
        except (OSError, EOFError):
            pass
        finally:
            self._open.discard(visitor)
            visit.ended.set()

    def _converse(self, tls: ssl.SSLSocket, visit: Visit) -> None:
        try:
            tls.do_handshake()
            visit.handshake, visit.resumed = True, bool(tls.session_reused)
            conversation = Conversation(tls, visit)
            self._speak(conversation)
            while True:
                conversation.more()
        finally:
            self._open.discard(tls)
