"""How a connection in plain text turns to TLS, protocol by protocol.

Only what must be said before TLS is said: no credentials, and no name of the user or
the database. Answers are bounded, and what does not agree to TLS is an error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pinwarden.errors import quoted

if TYPE_CHECKING:
    import asyncio

__all__ = ["LONGEST_LINE", "STARTTLS_PORTS", "Declined", "start_tls"]

LONGEST_LINE = 8192
_MOST_LINES = 100
_MOST_OCTETS = 65536


class Declined(Exception):  # noqa: N818 - the server's answer, in words, caught by net/tls.py
    """The server did not agree to TLS; the message says how, without naming the server."""


class _Dialogue:
    """Lines to and from a server."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        self.reader, self.writer, self.host = reader, writer, host

    async def say(self, text: str) -> None:
        """One line of ours."""
        await self.send(f"{text}\r\n".encode("ascii"))

    async def send(self, data: bytes) -> None:
        """Octets of ours."""
        self.writer.write(data)
        await self.writer.drain()

    async def line(self) -> str:
        """One line of the server's, without its end."""
        from asyncio import IncompleteReadError, LimitOverrunError

        try:
            line = await self.reader.readuntil(b"\n")
        except LimitOverrunError:
            raise Declined("sent a line without end") from None
        except IncompleteReadError as error:
            raise Declined(_closed(error.partial)) from None
        return line.decode("latin-1").rstrip("\r\n")

    async def exactly(self, octets: int) -> bytes:
        """That many octets of the server's."""
        from asyncio import IncompleteReadError

        try:
            return await self.reader.readexactly(octets)
        except IncompleteReadError as error:
            raise Declined(_closed(error.partial)) from None

    async def until(self, *marks: bytes) -> bytes:
        """What the server sends until one of the marks is in it."""
        got = b""
        while not any(mark in got for mark in marks):
            more = await self.reader.read(4096)
            got += more
            if not more:
                raise Declined(_closed(got))
            if len(got) > _MOST_OCTETS:
                raise Declined("sent too much")
        return got

    async def reply(self, code: str) -> None:
        """A reply of any number of lines (RFC 5321 section 4.2.1) that begins with a code."""
        for _ in range(_MOST_LINES):
            line = await self.line()
            if line[:3].isdigit() and line[3:4] != "-":
                if not line.startswith(code):
                    raise Declined(f"answered {quoted(line, 100)}")
                return
        raise Declined("sent an answer without end")

    async def word(self, tag: str, wanted: str) -> None:
        """The line that begins with `tag` or, without one, with a word of the server's."""
        tag = tag.upper()
        noes = (f"{tag}NO", f"{tag}BAD", f"{tag}BYE", "-ERR", "* BYE")
        for _ in range(_MOST_LINES):
            line = await self.line()
            if line.upper().startswith(tag + wanted):
                return
            if line.upper().startswith(noes):
                raise Declined(f"answered {quoted(line, 100)}")
        raise Declined("sent an answer without end")

    @property
    def own_address(self) -> str:
        """An address literal of this end (RFC 5321 section 4.1.3)."""
        address = ip_address(str(self.writer.get_extra_info("sockname")[0]).partition("%")[0])
        return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _closed(got: bytes) -> str:
    said = f" after {quoted(got, 100)}" if got else ""
    return f"closed the connection{said}"


async def _smtp(with_: _Dialogue, hello: str = "EHLO") -> None:
    """RFC 3207."""
    await with_.reply("220")
    await with_.say(f"{hello} {with_.own_address}")
    await with_.reply("250")
    await with_.say("STARTTLS")
    await with_.reply("220")


async def _lmtp(with_: _Dialogue) -> None:
    """RFC 2033 with RFC 3207."""
    await _smtp(with_, "LHLO")


async def _imap(with_: _Dialogue) -> None:
    """RFC 9051 section 6.2.1."""
    await with_.word("", "* OK")
    await with_.say("a1 STARTTLS")
    await with_.word("a1 ", "OK")


async def _pop3(with_: _Dialogue) -> None:
    """RFC 2595 section 4."""
    await with_.word("", "+OK")
    await with_.say("STLS")
    await with_.word("", "+OK")


async def _sieve(with_: _Dialogue) -> None:
    """RFC 5804 section 2.2."""
    await with_.word("", "OK")
    await with_.say("STARTTLS")
    await with_.word("", "OK")


async def _ftp(with_: _Dialogue) -> None:
    """RFC 4217 section 4."""
    await with_.reply("220")
    await with_.say("AUTH TLS")
    await with_.reply("234")


async def _nntp(with_: _Dialogue) -> None:
    """RFC 4642 section 2.2."""
    await with_.reply("20")
    await with_.say("STARTTLS")
    await with_.reply("382")


async def _postgres(with_: _Dialogue) -> None:
    """SSLRequest of PostgreSQL's protocol 3.0, which a server answers with one octet."""
    await with_.send(bytes.fromhex("0000000804d2162f"))
    answer = await with_.exactly(1)
    if answer != b"S":
        raise Declined("is a PostgreSQL server without TLS" if answer == b"N" else "is none")


async def _mysql(with_: _Dialogue) -> None:
    """SSLRequest of MySQL's protocol 10, after the server's greeting."""
    head = await with_.exactly(4)
    size = int.from_bytes(head[:3], "little")
    if head[3] != 0 or not 32 <= size <= _MOST_OCTETS:
        raise Declined("sent no greeting of MySQL")
    greeting = await with_.exactly(size)
    # Version, server version to a zero octet, thread id, eight octets of salt and one of filler.
    at = greeting.find(b"\0", 1) + 1 + 4 + 8 + 1
    if greeting[0] != 10 or at < 15:
        raise Declined("sent no greeting of MySQL")
    if not int.from_bytes(greeting[at : at + 2], "little") & 0x0800:
        raise Declined("is a MySQL server without TLS")
    # CLIENT_PROTOCOL_41, CLIENT_SSL and CLIENT_SECURE_CONNECTION; 16 MiB; utf8.
    request = (0x8A00).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x21"
    await with_.send(b"\x20\0\0\x01" + request + bytes(23))


async def _ldap(with_: _Dialogue) -> None:
    """The extended request of RFC 4511 section 4.14, and resultCode success."""
    name = b"1.3.6.1.4.1.1466.20037"
    operation = b"\x80" + bytes((len(name),)) + name
    message = b"\x02\x01\x01\x77" + bytes((len(operation),)) + operation
    await with_.send(b"\x30" + bytes((len(message),)) + message)
    head = await with_.exactly(2)
    size = head[1]
    if size & 0x80:
        size = int.from_bytes(await with_.exactly(min(size & 0x7F, 4)), "big")
    if head[0] != 0x30 or size > _MOST_OCTETS:
        raise Declined("sent no answer of LDAP")
    answer = await with_.exactly(size)
    # Message id 1, ExtendedResponse; the length of the latter in any form; then ENUMERATED.
    code = answer.find(b"\x0a\x01", 4, 16)
    if not answer.startswith(b"\x02\x01\x01\x78") or code < 0 or len(answer) < code + 3:
        raise Declined("sent no answer of LDAP")
    if answer[code + 2] != 0:
        raise Declined(f"answered with LDAP result code {answer[code + 2]}")


async def _xmpp(with_: _Dialogue) -> None:
    """RFC 6120 section 5.4."""
    stream = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    await with_.say(
        f"<?xml version='1.0'?><stream:stream to='{with_.host}' version='1.0' {stream}>"
    )
    features = await with_.until(b"</stream:features>", b"<stream:error", b"</stream:stream>")
    if b"urn:ietf:params:xml:ns:xmpp-tls" not in features:
        raise Declined("offers no STARTTLS")
    await with_.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    if b"<proceed" not in await with_.until(b">"):
        raise Declined("did not proceed to TLS")


_DIALOGUES: dict[str, tuple[int, Callable[[_Dialogue], Awaitable[None]]]] = {
    "smtp": (25, _smtp),
    "lmtp": (24, _lmtp),
    "imap": (143, _imap),
    "pop3": (110, _pop3),
    "sieve": (4190, _sieve),
    "ftp": (21, _ftp),
    "nntp": (119, _nntp),
    "ldap": (389, _ldap),
    "postgres": (5432, _postgres),
    "mysql": (3306, _mysql),
    "xmpp": (5222, _xmpp),
}
# The protocols and the ports on which they usually are.
STARTTLS_PORTS = {protocol: port for protocol, (port, _) in _DIALOGUES.items()}


async def start_tls(
    protocol: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
) -> None:
    """Bring a connection to where TLS begins; raises `Declined`, or OSError.

    `protocol` is a key of `STARTTLS_PORTS`. The reader's limit should be `LONGEST_LINE`.
    """
    _, dialogue = _DIALOGUES[protocol]
    await dialogue(_Dialogue(reader, writer, host))
