"""Many lines of answer, written a block at a time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

_BLOCK = 256
_LONGEST_WAIT = 0.5
# From then on a faster encoder is worth loading.
_MANY = 200
_encode = json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":")).encode


class Lines:
    """Collects lines for stdout; nobody waits for one longer than for the next answer.

    A context manager: what is left is written at the end, also when it ends badly.
    """

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._written = time.monotonic()
        self._encode: Callable[[Any], str] = _encode
        self._encoded = 0

    def add(self, text: str) -> None:
        """One line, without its end."""
        self._waiting.append(text)
        if len(self._waiting) >= _BLOCK or time.monotonic() - self._written > _LONGEST_WAIT:
            self.flush()

    def add_json(self, value: Mapping[str, Any]) -> None:
        """One JSON object in printable ASCII."""
        self._encoded += 1
        if self._encoded == _MANY:
            self._encode = _fast_encoder()
        self.add(self._encode(value))

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._waiting.append("")
            sys.stdout.write("\n".join(self._waiting))
            self._waiting.clear()
        sys.stdout.flush()
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()


def _fast_encoder() -> Callable[[Any], str]:
    """The same JSON: what holds other characters than printable ASCII is left to the slow one."""
    import msgspec

    encode_octets = msgspec.json.Encoder().encode

    def encode(value: Any) -> str:
        octets = encode_octets(value)
        if octets.isascii() and b"\x7f" not in octets:
            return octets.decode("ascii")
        return _encode(value)

    return encode
