"""How values lie in the database, the same way in every kind of it.

Text columns hold what strangers wrote. SQLite's driver refuses lone surrogates
and PostgreSQL refuses NUL, so both are escaped on the way in and restored on the
way out: a hostile name must not keep its own sighting from being stored.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import TIMESTAMP, Dialect, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

_UNSAFE = re.compile("[\\\\\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(\\|u[0-9a-f]{4})")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; in SQLite as fixed-width text that sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL has a type for this; SQLite does not."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """A time on its way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        if dialect.name == "postgresql":
            return value
        naive = value.astimezone(UTC).replace(tzinfo=None)
        return naive.isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """A time on its way out."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value)


def _escaped(text: str) -> str:
    return _UNSAFE.sub(_escape, text)


def _restored(text: str) -> str:
    return _ESCAPED.sub(_restore, text) if "\\" in text else text


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return "\\\\" if character == "\\" else f"\\u{ord(character):04x}"


def _restore(match: re.Match[str]) -> str:
    code = match[1]
    return "\\" if code == "\\" else chr(int(code[1:], 16))


class ForeignText(TypeDecorator[str]):
    """Text of any characters at all, returned exactly as it was given."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Text on its way in."""
        return None if value is None else _escaped(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Text on its way out."""
        return None if value is None else _restored(value)


class TextList(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts, as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """Texts on their way in."""
        if value is None:
            return None
        return json.dumps([_escaped(text) for text in value], ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        """Texts on their way out."""
        return None if value is None else tuple(_restored(text) for text in json.loads(value))


class TextPairs(TypeDecorator[tuple[tuple[str, str], ...]]):
    """A tuple of pairs of texts, as a JSON array of arrays."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: tuple[tuple[str, str], ...] | None, dialect: Dialect
    ) -> str | None:
        """Pairs on their way in."""
        if value is None:
            return None
        pairs = [(_escaped(name), _escaped(text)) for name, text in value]
        return json.dumps(pairs, ensure_ascii=False)

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[tuple[str, str], ...] | None:
        """Pairs on their way out."""
        if value is None:
            return None
        return tuple((_restored(name), _restored(text)) for name, text in json.loads(value))
