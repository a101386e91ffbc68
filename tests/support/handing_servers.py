"""`openssl s_server` as a server that hands over SCTs and OCSP responses in its handshake.

Python's ssl module can serve neither. The program takes one connection after the other.
"""

from __future__ import annotations

import re
import subprocess
import threading
from base64 import encodebytes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import pytest

from pinwarden.lab.ca import key_pem, pem
from pinwarden.lab.tls import Credentials
from support.ocsp_answers import encoded_list, ocsp_answer
from support.openssl_keys import OPENSSL, openssl

__all__ = ["encoded_list", "handing_server", "ocsp_answer", "serverinfo"]

_PATIENCE = 20.0
_SCT_EXTENSION = 18
# SSL_EXT_IGNORE_ON_RESUMPTION, _CLIENT_HELLO, _TLS1_2_SERVER_HELLO and _TLS1_3_CERTIFICATE.
_WHERE = 0x0040 | 0x0080 | 0x0100 | 0x1000
_ACCEPT = re.compile(rb"ACCEPT \S+?:(\d+)\r?\n")
_REQUEST = re.compile(rb"(?:HEAD|GET) \S+ HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*\r\n")


def serverinfo(sct_list: bytes) -> bytes:
    """A file for `-serverinfo`, and for nginx's `ssl_conf_command ServerInfoFile`."""
    extension = _WHERE.to_bytes(4, "big") + _SCT_EXTENSION.to_bytes(2, "big")
    body = encodebytes(extension + len(sct_list).to_bytes(2, "big") + sct_list)
    return (
        b"-----BEGIN SERVERINFOV2 FOR SCTS-----\n" + body + b"-----END SERVERINFOV2 FOR SCTS-----\n"
    )


@contextmanager
def handing_server(
    credentials: Credentials,
    *,
    sct_list: bytes = b"",
    ocsp: bytes = b"",
    version: str = "",
    headers: Mapping[str, str] | None = None,
    more: tuple[str, ...] = (),
) -> Iterator[int]:
    """The port on 127.0.0.1 of a server with these credentials; skips without the program.

    `version` is "tls1_2" or "tls1_3" to allow no other. Each HTTP request gets 204 with the
    headers. `more` are further options of the program.
    """
    if OPENSSL is None or not openssl("version").startswith(b"OpenSSL "):
        pytest.skip("there is no openssl program of OpenSSL's own")
    with TemporaryDirectory(prefix="pinwarden-test-") as name:
        command = [OPENSSL, *_arguments(Path(name), credentials, sct_list, ocsp)]
        if version:
            command.append(f"-{version}")
        child = subprocess.Popen(
            [*command, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        replier = _Replier(child.stdin, child.stdout, _answer(headers or {}))
        try:
            yield replier.port()
        finally:
            child.kill()
            child.wait(_PATIENCE)
            replier.join(_PATIENCE)
            # What it was not sent any more is still in the pipe.
            with suppress(OSError):
                child.stdin.close()
            child.stdout.close()


def _arguments(folder: Path, credentials: Credentials, sct_list: bytes, ocsp: bytes) -> list[str]:
    leaf, *others = credentials.certificates
    made = {
        "-key": key_pem(credentials.private_key),
        "-cert": pem([leaf]),
        "-cert_chain": pem(others) if others else b"",
        "-serverinfo": serverinfo(sct_list) if sct_list else b"",
        "-status_file": ocsp,
    }
    arguments = ["s_server", "-accept", "127.0.0.1:0"]
    for option, data in made.items():
        if data:
            path = folder / option[1:]
            path.write_bytes(data)
            arguments += [option, str(path)]
    return arguments


def _answer(headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 204 No Content\r\n{lines}\r\n".encode("latin-1")


class _Replier(threading.Thread):
    """Reads what the program prints, which is what visitors say, and answers on its input."""

    def __init__(self, to: IO[bytes], words: IO[bytes], answer: bytes) -> None:
        super().__init__(daemon=True)
        self._to, self._words, self._answer = to, words, answer
        self._said = bytearray()
        self._port: int | None = None
        self._ready = threading.Event()
        self.start()

    def port(self) -> int:
        """Where the program listens, as soon as it does."""
        assert self._ready.wait(_PATIENCE), bytes(self._said)
        assert self._port is not None, bytes(self._said)
        return self._port

    def run(self) -> None:
        while more := self._words.read1(65536):  # type: ignore[attr-defined]
            self._said += more
            if self._port is None and (accept := _ACCEPT.search(self._said)):
                self._port = int(accept[1])
                self._ready.set()
            if request := _REQUEST.search(self._said):
                del self._said[: request.end()]
                try:
                    self._to.write(self._answer)
                    self._to.flush()
                except (OSError, ValueError):
                    break
        self._ready.set()
