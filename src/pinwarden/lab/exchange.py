"""A request and its answer, without a socket: what the two faces of a log speak in."""

from __future__ import annotations

import gzip
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request as far as a log looks at it; `path` follows the face's prefix."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    takes_gzip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back; `gzipped` says that the body is compressed."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    gzipped: bool = False


def in_json(value: object) -> Answer:
    """An answer in JSON."""
    return Answer(body=json.dumps(value).encode())


def refusal(status: int, reason: str) -> Answer:
    """An answer that says no."""
    return Answer(body=reason.encode() + b"\n", status=status, content_type="text/plain")


class Shelf:
    """Bodies made once and served many times, within a budget of bytes."""

    def __init__(self, budget: int = 256 << 20) -> None:
        self.budget = budget
        self._bodies: OrderedDict[object, bytes] = OrderedDict()
        self._size = 0

    def get(self, key: object, make: Callable[[], bytes]) -> bytes:
        """The body with this key, made if it is not there."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
            return body
        body = make()
        self._bodies[key] = body
        self._size += len(body)
        while self._size > self.budget and len(self._bodies) > 1:
            self._size -= len(self._bodies.popitem(last=False)[1])
        return body

    def clear(self) -> None:
        """Forget all of them."""
        self._bodies.clear()
        self._size = 0


def compress(body: bytes) -> bytes:
    """One gzip member, the same for the same body."""
    return gzip.compress(body, compresslevel=6, mtime=0)
