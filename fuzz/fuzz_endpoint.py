"""Fuzzes what people write for hosts and what servers say before TLS: a value or our errors.

`fuzz/target.py` says how it runs.
"""

import asyncio
import random

from target import run

from pinwarden.errors import ConfigError
from pinwarden.net.endpoint import parse_endpoint
from pinwarden.net.starttls import LONGEST_LINE, STARTTLS_PORTS, Declined, start_tls

PROTOCOLS = sorted(STARTTLS_PORTS)
PIECES = (
    *(b"220", b"250", b"234", b"382", b"201", b" ", b"-", b"\r\n", b"\n", b"* OK", b"a1 OK", b"OK"),
    *(b"+OK", b"-ERR", b"* BYE", b"S", b"N", b"\x0a8.0\0", b"\x40\0\0\0", b"\xff\xff", bytes(40)),
    *(b"\x30\x0c\x02\x01\x01\x78\x07", b"\x0a\x01\0", b"\x84", b"<stream:stream", b"/>", b">"),
    *(b"urn:ietf:params:xml:ns:xmpp-tls", b"</stream:features>", b"<proceed", b"https://", b"["),
    *(b"]", b":", b"443", b"::1", b"example.com", b"192.0.2.1", b"@", b"/", b"*", b"\x1b", b"%"),
)


class Talk:
    """One connection, whose other end reads and says nothing: answers come from the fuzzer."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._writer = self._runner.run(self._open())

    async def _open(self) -> asyncio.StreamWriter:
        async def forget(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            while await reader.read(65536):
                pass

        self._server = await asyncio.start_server(forget, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        return writer

    def hear(self, protocol: str, said: bytes) -> None:
        """Hold the dialogue of a protocol with a server that says this."""
        self._runner.run(self._dialogue(protocol, said))

    async def _dialogue(self, protocol: str, said: bytes) -> None:
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        reader.feed_data(said)
        reader.feed_eof()
        try:
            await start_tls(protocol, reader, self._writer, "example.com")
        except Declined as error:
            check_message(error)


def check_message(error: Exception) -> None:
    assert str(error).isprintable()


def check_endpoint(text: str) -> None:
    try:
        found = parse_endpoint(text)
    except ConfigError as error:
        check_message(error)
        return
    assert parse_endpoint(str(found), starttls=found.starttls) == found


def made_up(number: random.Random) -> bytes:
    """Pieces put together, after the number of a protocol."""
    pieces = number.choices(PIECES, k=number.randint(0, 16))
    return number.randbytes(1) + b"".join(pieces) + number.randbytes(number.choice((0, 0, 3)))


if __name__ == "__main__":
    talk = Talk()

    def check(data: bytes) -> None:
        """One input."""
        check_endpoint(data.decode("utf-8", "surrogateescape"))
        protocol = PROTOCOLS[data[0] % len(PROTOCOLS)] if data else "smtp"
        talk.hear(protocol, data[1:])

    run(check, made_up)
