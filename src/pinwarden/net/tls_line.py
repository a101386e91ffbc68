"""One connection to a TLS server, with every octet of it counted."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Protocol

from pinwarden.net.endpoint import Endpoint
from pinwarden.net.hello.fetch import fetch_handed
from pinwarden.net.hello.offer import Offer
from pinwarden.net.served import HandedOver
from pinwarden.net.starttls import LONGEST_LINE, start_tls
from pinwarden.pinning.peer_chain import sent_chain

__all__ = ["Line", "Wrap"]

# A chain has at most 100 KiB by OpenSSL's own rule; a handshake is little more than that.
_MOST_OCTETS = 1 << 20
_RECORD = 65536


class Wrap(Protocol):
    """Makes a TLS object over two memory buffers, as a context does."""

    def __call__(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, /, *, server_hostname: str
    ) -> ssl.SSLObject:
        """The object; raises ValueError and ssl.SSLError."""
        ...


class _Answer(Protocol):
    def feed(self, data: bytes) -> bytes | None:
        """Take what arrived; the answer as soon as it is whole."""
        ...


class Line:
    """A connection: `connect`, then a handshake or a reading of the first flight; `close`.

    Each raises OSError, of which ssl.SSLError is one, and `Declined` where TLS does not
    begin. `first` are the first octets of the server's TLS, `shown` is whether its
    certificates had come when a handshake failed. How long anything may take is for the
    caller to say.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.first = b""
        self.shown = False
        self._endpoint = endpoint
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._received = 0

    async def connect(self, address: str, port: int) -> None:
        """Connect to an IP address.

        The address that was judged is the one connected to. Nothing is looked up again,
        which an attacker's name server could answer differently the second time.
        """
        self._reader, self._writer = await asyncio.open_connection(
            address, port, limit=LONGEST_LINE
        )

    async def close(self) -> None:
        """Drop the connection, if there is one, with a goodbye if there was a handshake."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._tls is not None:
            with contextlib.suppress(OSError):
                self._tls.unwrap()
            writer.write(self._outgoing.read())
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def read_first_flight(self, offer: Offer) -> HandedOver:
        """What the server hands over; raises `MalformedError` too. The line is of no more use."""
        writer = await self._begin_tls()
        return await fetch_handed(self._reader, writer, self._endpoint.host, offer)

    async def shake_hands(self, wrap: Wrap) -> ssl.SSLObject:
        """The TLS object after the whole handshake; raises ValueError too."""
        tls = wrap(self._incoming, self._outgoing, server_hostname=self._endpoint.host)
        await self._begin_tls()
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._read()
            except ssl.SSLError:
                # The alert tells the server's owner what we did not like.
                self.shown = bool(sent_chain(tls))
                with contextlib.suppress(OSError):
                    await self._flush()
                raise
            else:
                self._tls = tls
                with contextlib.suppress(OSError):
                    await self._flush()
                return tls

    async def ask(self, request: bytes, answer: _Answer) -> bytes:
        """Send a request after the handshake; what `answer` makes of what comes back."""
        if self._tls is None:
            raise ConnectionError("there was no handshake")
        self._tls.write(request)
        while True:
            # Not only the request: TLS answers by itself, such as to a new key. To a server that is
            # gone nothing can be sent, and yet why it went may have arrived before.
            with contextlib.suppress(OSError):
                await self._flush()
            try:
                data = self._tls.read(_RECORD)
            except ssl.SSLWantReadError:
                await self._read()
                continue
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                raise ConnectionError("closed the connection before its answer was whole")
            whole = answer.feed(data)
            if whole is not None:
                return whole

    async def _begin_tls(self) -> asyncio.StreamWriter:
        if self._writer is None:
            raise ConnectionError("there is no connection")
        if self._endpoint.starttls is not None:
            await start_tls(
                self._endpoint.starttls, self._reader, self._writer, self._endpoint.host
            )
        return self._writer

    async def _read(self) -> None:
        data = await self._reader.read(_RECORD)
        self.first = self.first or data[:8]
        self._received += len(data)
        if self._received > _MOST_OCTETS:
            raise OSError("sent a handshake of more than 1 MiB")
        if data:
            self._incoming.write(data)
        elif self._incoming.eof:
            raise ConnectionError("closed the connection during the handshake")
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        data = self._outgoing.read()
        if data and self._writer is not None:
            self._writer.write(data)
            await self._writer.drain()
