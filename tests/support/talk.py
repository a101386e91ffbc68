"""How servers of many protocols talk, for `support.origin.Origin`: just enough for one client."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from support.origin import Conversation

__all__ = [
    "echo_lines",
    "ftp",
    "grpc",
    "imap",
    "plainly",
    "pop",
    "postgres",
    "postgres_ssl_request",
    "redis",
    "smtp",
    "tagged",
    "websocket",
]


def echo_lines(conversation: Conversation) -> None:
    """Every line comes back."""
    while True:
        conversation.say(conversation.line() + b"\r\n")


def smtp(greeting: bytes = b"220 here\r\n") -> Callable[[Conversation], None]:
    """Agrees to everything (RFC 5321)."""

    def speak(conversation: Conversation) -> None:
        conversation.say(greeting)
        while not (line := conversation.line()).upper().startswith(b"QUIT"):
            if line.upper() == b"DATA":
                conversation.say(b"354 go on\r\n")
                conversation.until(b"\r\n.\r\n")
            conversation.say(b"250 fine\r\n")
        conversation.say(b"221 bye\r\n")

    return speak


def imap(greeting: bytes = b"* OK ready\r\n") -> Callable[[Conversation], None]:
    """Agrees to everything (RFC 3501)."""

    def speak(conversation: Conversation) -> None:
        conversation.say(greeting)
        while True:
            tag, _, command = conversation.line().partition(b" ")
            if command.upper() == b"CAPABILITY":
                conversation.say(b"* CAPABILITY IMAP4rev1\r\n")
            elif command.upper() == b"LOGOUT":
                conversation.say(b"* BYE\r\n")
            conversation.say(tag + b" OK fine\r\n")

    return speak


def pop(greeting: bytes = b"+OK ready\r\n") -> Callable[[Conversation], None]:
    """Agrees to everything (RFC 1939)."""

    def speak(conversation: Conversation) -> None:
        conversation.say(greeting)
        while True:
            conversation.line()
            conversation.say(b"+OK fine\r\n")

    return speak


def ftp(passive: Callable[[], bytes] = lambda: b"502 no\r\n") -> Callable[[Conversation], None]:
    """Agrees to everything on the control connection; `passive` answers EPSV and PASV."""

    def speak(conversation: Conversation) -> None:
        while True:
            command = conversation.line().upper()
            if command in (b"EPSV", b"PASV"):
                conversation.say(passive())
            elif command.startswith((b"NLST", b"RETR", b"STOR")):
                conversation.say(b"150 coming\r\n226 there\r\n")
            elif command.startswith(b"USER"):
                conversation.say(b"230 in\r\n")
            else:
                conversation.say(b"200 fine\r\n")

    return speak


def plainly(*answers: bytes) -> Callable[[socket.socket], None]:
    """What is said before TLS: the first at once, each of the others after a line."""

    def speak(visitor: socket.socket) -> None:
        visitor.sendall(answers[0])
        for answer in answers[1:]:
            _plain_line(visitor)
            visitor.sendall(answer)

    return speak


def tagged(greeting: bytes) -> Callable[[socket.socket], None]:
    """IMAP before TLS: up to and with the answer to STARTTLS (RFC 3501 section 6.2.1)."""

    def speak(visitor: socket.socket) -> None:
        visitor.sendall(greeting)
        while True:
            tag, _, command = _plain_line(visitor).partition(b" ")
            if command.upper() == b"CAPABILITY":
                visitor.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n")
            visitor.sendall(tag + b" OK fine\r\n")
            if command.upper() == b"STARTTLS":
                return

    return speak


def _plain_line(visitor: socket.socket) -> bytes:
    """A byte at a time: what follows the line may be TLS."""
    line = b""
    while not line.endswith(b"\n"):
        got = visitor.recv(1)
        if not got:
            raise EOFError
        line += got
    return line.rstrip(b"\r\n")


def redis(conversation: Conversation) -> None:
    """RESP 2 and 3: agrees to everything."""
    answers = {b"PING": b"+PONG\r\n", b"GET": b"$5\r\nvalue\r\n", b"ECHO": b"$2\r\nhi\r\n"}
    hello = b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"
    while True:
        words = []
        for _ in range(int(conversation.line()[1:])):
            length = int(conversation.line()[1:])
            words.append(conversation.exactly(length + 2)[:-2])
        command = words[0].upper()
        conversation.say(hello if command == b"HELLO" else answers.get(command, b"+OK\r\n"))


def postgres_ssl_request(visitor: socket.socket) -> None:
    """Agrees to speak TLS."""
    if visitor.recv(8) != struct.pack("!ii", 8, 80877103):
        raise EOFError
    visitor.sendall(b"S")


def postgres(conversation: Conversation) -> None:
    """Lets everybody in; every query has one row with one text, `value`."""

    def message(kind: bytes, body: bytes = b"") -> bytes:
        return kind + struct.pack("!i", len(body) + 4) + body

    ready = message(b"Z", b"I")
    (length,) = struct.unpack("!i", conversation.exactly(4))
    conversation.exactly(length - 4)
    conversation.say(message(b"R", struct.pack("!i", 0)) + ready)
    column = b"value\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
    described = message(b"T", struct.pack("!h", 1) + column)
    row = message(b"D", struct.pack("!hi", 1, 5) + b"value")
    done = message(b"C", b"SELECT 1\0")
    answers = {
        b"P": message(b"1"),
        b"B": message(b"2"),
        b"D": described,
        b"E": row + done,
        b"S": ready,
        b"Q": described + row + done + ready,
    }
    while (kind := conversation.exactly(1)) != b"X":
        (length,) = struct.unpack("!i", conversation.exactly(4))
        body = conversation.exactly(length - 4)
        if kind == b"Q" and body.upper().startswith((b"BEGIN", b"COMMIT", b"ROLLBACK")):
            conversation.say(message(b"C", body.split()[0]) + ready)
        else:
            conversation.say(answers.get(kind, b""))


def websocket(location: str | None) -> Callable[[Conversation], None]:
    """Sends every message back, or redirects every request to `location`."""
    from websockets.frames import Opcode
    from websockets.http11 import Request, Response
    from websockets.server import ServerProtocol

    def speak(conversation: Conversation) -> None:
        if location is not None:
            conversation.until(b"\r\n\r\n")
            moved = location.replace("https:", "wss:")
            head = f"HTTP/1.1 302 Found\r\nLocation: {moved}\r\nContent-Length: 0\r\n\r\n"
            conversation.say(head.encode())
            return
        protocol = ServerProtocol()
        while True:
            protocol.receive_data(conversation.more())
            for event in protocol.events_received():
                if isinstance(event, Request):
                    response = protocol.accept(event)
                    assert isinstance(response, Response)
                    protocol.send_response(response)
                elif not isinstance(event, Response) and event.opcode is Opcode.TEXT:
                    protocol.send_text(event.data)
            for data in protocol.data_to_send():
                conversation.say(data)

    return speak


def grpc(conversation: Conversation) -> None:
    """Answers every call with the message `value`."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import ConnectionTerminated, StreamEnded

    http = H2Connection(H2Configuration(client_side=False))
    http.initiate_connection()
    conversation.say(http.data_to_send())
    while True:
        for event in http.receive_data(conversation.more()):
            if isinstance(event, ConnectionTerminated):
                return
            if isinstance(event, StreamEnded):
                fields = [(":status", "200"), ("content-type", "application/grpc")]
                http.send_headers(event.stream_id, fields)
                http.send_data(event.stream_id, b"\0" + struct.pack("!i", 5) + b"value")
                http.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)
        conversation.say(http.data_to_send())
