"""A server, over TLS or in plain text, that has an answer for each path and method."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from pinwarden.lab.tls import Credentials, LabTLS, Visit

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def head(*fields: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def redirect(to: str, *fields: str, status: str = "302 Found") -> bytes:
    """One that sends whoever asks elsewhere."""
    return head(f"Location: {to}", *fields, status=status)


class AnsweringTLS(LabTLS):
    """Answers a request by its target, such as `/a?b`; `asked` are the request lines and hosts."""

    def __init__(
        self, credentials: Credentials, answers: Mapping[str, bytes], **options: Any
    ) -> None:
        super().__init__(credentials, **options)
        self.answers = dict(answers)
        self.asked: list[tuple[str, str]] = []

    def _converse(self, connection: socket.socket, visit: Visit) -> None:
        while b"\r\n\r\n" not in visit.said:
            got = connection.recv(65536)
            if not got:
                return
            visit.said += got
        lines = bytes(visit.said).decode("latin-1").split("\r\n")
        host = next(each[6:] for each in lines if each.lower().startswith("host: "))
        self.asked.append((lines[0], host))
        method, target, _ = lines[0].split(" ")
        answer = self.answers.get(f"{method} {target}", self.answers.get(target, NOT_FOUND))
        connection.sendall(answer)
