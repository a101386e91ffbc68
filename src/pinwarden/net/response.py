"""The head of a server's answer to one HTTP request (RFC 9112), and nothing of its body."""

from __future__ import annotations

import re

from pinwarden import __version__
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.net.endpoint import Endpoint

__all__ = ["HEAD_NOT_KNOWN", "HeadFinder", "encode_request", "status_of", "verify_path"]

HEAD_NOT_KNOWN = frozenset({405, 501})
"""Answers to HEAD of servers that know GET alone (RFC 9110 sections 15.5.6 and 15.6.2)."""

_HTTPS = 443
_MOST_OCTETS = 65536
_LONGEST_PATH = 8192
_BEGINS = b"HTTP/"
# Lines may end in LF alone (RFC 9112 section 2.2).
_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3})(?![0-9])")
_PATH = re.compile(r"/[!-~]*")


def verify_path(path: str) -> None:
    """Raise `ConfigError` unless this can stand in a request line as its target."""
    if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path) or "#" in path:
        raise ConfigError(
            f"path {quoted(path, 100)}: is none that can be asked for",
            hint="it begins with / and has neither spaces nor a fragment",
        )


def encode_request(
    endpoint: Endpoint, method: str, path: str = "/", contact: str | None = None
) -> bytes:
    """A request that wants one answer; `contact` is one that `verify_contact` lets pass."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    if endpoint.port != _HTTPS:
        host += f":{endpoint.port}"
    ours = f"pinwarden/{__version__}" + (f" (+{contact})" if contact else "")
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {ours}\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def status_of(head: bytes) -> int:
    """The status code of a response; raises `MalformedError`."""
    found = _STATUS.match(head)
    if found is None:
        raise MalformedError(f"the answer begins with {quoted(head[:40])}")
    return int(found[1])


class HeadFinder:
    """Finds the end of the head in what arrives.

    Interim responses (RFC 9110 section 15.2) before it are left out, except that 101 is
    taken for an answer.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0
        self._received = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take what arrived; the whole head with the line that ends it, or None as yet.

        Raises `MalformedError` for what is no HTTP/1, and for more than 64 KiB.
        """
        self._received += len(data)
        self._data += data
        if not bytes(self._data[:5]).startswith(_BEGINS[: len(self._data)]):
            raise MalformedError(
                f"did not answer with HTTP/1, but with {quoted(bytes(self._data[:8]))}"
            )
        while end := _END.search(self._data, self._searched):
            if end.end() > _MOST_OCTETS:
                break
            head = bytes(self._data[: end.end()])
            status = status_of(head)
            if not 100 <= status < 200 or status == 101:
                return head
            del self._data[: end.end()]
            self._searched = 0
        if self._received > _MOST_OCTETS:
            raise MalformedError("the head of the answer has more than 64 KiB")
        # The end may lie across what arrived now and what will.
        self._searched = max(0, len(self._data) - 2)
        return None
