"""Chrome's `log_list.zip`: a list and its signature in one file, so never out of step."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from pinwarden.errors import MalformedError, quoted

_MOST_MEMBERS = 16


def unpack_list(archive: bytes, max_bytes: int) -> tuple[bytes, bytes | None]:
    """The list and its signature, if it has one. Raises MalformedError."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _list_and_signature(opened, max_bytes)
    except MalformedError:
        raise
    # What the library raises for damaged files; NotImplementedError is a RuntimeError.
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        OverflowError,
        MemoryError,
    ) as error:
        raise MalformedError("zip file: is damaged") from error


def _list_and_signature(opened: zipfile.ZipFile, max_bytes: int) -> tuple[bytes, bytes | None]:
    names = opened.namelist()
    if len(names) > _MOST_MEMBERS:
        raise MalformedError(f"zip file: has more than {_MOST_MEMBERS} members")
    lists = [name for name in names if name.endswith(".json")]
    if len(lists) != 1:
        raise MalformedError(f"zip file: has {len(lists)} JSON files, not one")
    signature = lists[0].removesuffix(".json") + ".sig"
    return (
        _member(opened, lists[0], max_bytes),
        _member(opened, signature, max_bytes) if signature in names else None,
    )


def _member(opened: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    with opened.open(name) as member:
        data = member.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise MalformedError(f"zip file: {quoted(name)} is larger than {max_bytes} bytes")
    return data
