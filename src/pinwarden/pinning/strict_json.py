"""JSON of which nobody reads anything else: what two parsers could take differently is refused.

A key that stands twice is one value to one parser and another to the next, and what is
signed must be one thing to all (RFC 8259 section 4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from pinwarden.errors import MalformedError, quoted

__all__ = ["read_object"]


def read_object(text: str, who: str) -> Mapping[str, Any]:
    """The object in a text; raises `MalformedError`, whose message begins with `who`."""
    try:
        # Half a surrogate pair is text to one program, and an error to the next.
        text.encode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_refuse
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError(f"{who}: holds half a character") from None
    except _RefusedError as error:
        raise MalformedError(f"{who}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{who}: is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{who}: is not a JSON object")
    return value


class _RefusedError(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RefusedError(f"has the key {quoted(key)} twice")
        found[key] = value
    return found


def _refuse(text: str) -> NoReturn:
    raise _RefusedError(f"has the number {quoted(text, 40)}, which is no whole number")
