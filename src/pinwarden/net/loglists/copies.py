"""The copies of log lists on disk: what a start without network uses.

A copy is also the memory against roll-back: a server cannot offer a list older
than the one kept here. Each list is one file, replaced atomically, so that
list, signature and validators always belong together; whoever reads it
verifies it again.
"""

from __future__ import annotations

import json
import os
import tempfile
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pinwarden.errors import MalformedError, StoreError, quoted

_FORMAT = 1
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A list as it was received, and when it was last known to be current."""

    url: str
    body: bytes
    signature: bytes | None
    fetched: datetime
    checked: datetime
    etag: str | None = None
    last_modified: str | None = None


def copy_path(cache_dir: Path, url: str) -> Path:
    """Where the copy of the list at `url` is kept."""
    return cache_dir / f"{sha256(url.encode()).hexdigest()[:24]}.json"


def load_copy(cache_dir: Path, url: str) -> Copy | None:
    """The copy of the list at `url`, or None if there is none.

    Raises StoreError if there is one which cannot be read.
    """
    path = copy_path(cache_dir, url)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise StoreError(f"log list copy {quoted(str(path))}: is too large")
        raw = json.loads(path.read_bytes())
        copy = _parse(raw)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"log list copy {quoted(str(path))}: {_reason(error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise StoreError(f"log list copy {quoted(str(path))}: is damaged") from error
    if copy.url != url:
        raise StoreError(f"log list copy {quoted(str(path))}: is of another list")
    return copy


def save_copy(cache_dir: Path, copy: Copy) -> None:
    """Keep `copy`, replacing the one before in one step. Raises StoreError."""
    path = copy_path(cache_dir, copy.url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_render(copy))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise StoreError(f"log list copy {quoted(str(path))}: {_reason(error)}") from error


def _render(copy: Copy) -> bytes:
    raw = {
        "format": _FORMAT,
        "url": copy.url,
        "fetched": copy.fetched.isoformat(),
        "checked": copy.checked.isoformat(),
        "etag": copy.etag,
        "last_modified": copy.last_modified,
        "signature": b64encode(copy.signature).decode() if copy.signature is not None else None,
        "body": b64encode(copy.body).decode(),
    }
    return json.dumps(raw).encode()


def _parse(raw: object) -> Copy:
    if not isinstance(raw, dict) or raw["format"] != _FORMAT:
        raise MalformedError("not a copy in this format")
    signature = raw["signature"]
    return Copy(
        url=_text(raw["url"]),
        body=b64decode(_text(raw["body"]), validate=True),
        signature=None if signature is None else b64decode(_text(signature), validate=True),
        fetched=datetime.fromisoformat(raw["fetched"]).astimezone(UTC),
        checked=datetime.fromisoformat(raw["checked"]).astimezone(UTC),
        etag=_text(raw["etag"]) or None,
        last_modified=_text(raw["last_modified"]) or None,
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError("not a string")
    return value


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
