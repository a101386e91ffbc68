"""Alerts appended to a file, one JSON object a line, each exactly once.

A process may be killed after an alert is in the file and before the store
knows. So before anything is appended, the end of the file is searched for the
keys of the alerts at hand, and those already there are not written again. A
line torn by the same death is completed or removed first.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pinwarden.config_channels import FileConfig
from pinwarden.errors import OutsideError, quoted
from pinwarden.net.channels.apart import Apart
from pinwarden.render import Message, render_json_line

_TAIL = 4 * 1024 * 1024
_MOST_KEYS = 20_000
_MODE = 0o640
_OPENING = b'{"type":"alert"'


class FileChannel:
    """Appends alerts to one file; several processes may share it."""

    def __init__(self, config: FileConfig) -> None:
        self.name = config.name
        self.group = config.group
        self.timeout = config.timeout
        self._path = Path(config.path).expanduser()
        self._target = f"file {quoted(config.path)}"
        self._apart = Apart(self._target)
        # The file as we left it, and the keys in its end: read again when it changed.
        self._left: tuple[int, int, int] | None = None
        self._keys: set[str] = set()

    async def deliver(self, message: Message) -> None:
        """Append what is not in the file yet, and wait until it is on the disk."""
        lines = {
            str(event["key"]): render_json_line(event).encode("ascii") + b"\n"
            for event in message.events
        }
        await self._apart.run(lambda: self._append(lines))

    def _append(self, lines: dict[str, bytes]) -> None:
        try:
            with self._locked() as descriptor:
                self._append_missing(descriptor, lines)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OutsideError(
                f"{self._target}: cannot be written: {reason}", target=self._target
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor, created = _open(self._path)
        try:
            if created:
                _sync_folder(self._path.parent)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OutsideError(f"{self._target}: is not a regular file", target=self._target)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _append_missing(self, descriptor: int, lines: dict[str, bytes]) -> None:
        size = os.fstat(descriptor).st_size
        if self._left != _identity(descriptor) or len(self._keys) > _MOST_KEYS:
            # What a killed process wrote last was these very lines, or less.
            window = _TAIL + 2 * sum(map(len, lines.values()))
            tail = _read_end(descriptor, size, window)
            size = _mend(descriptor, size, tail)
            self._keys = _keys_in(tail)
        missing = b"".join(line for key, line in lines.items() if key not in self._keys)
        try:
            _write(descriptor, missing)
            os.fsync(descriptor)
        except OSError:
            self._left = None
            # A full disk took half a line: leave the file as it was.
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
        self._keys |= lines.keys()
        self._left = _identity(descriptor)


def _open(path: Path) -> tuple[int, bool]:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, _MODE), True
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT, _MODE), False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(descriptor: int) -> tuple[int, int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_size


def _read_end(descriptor: int, size: int, window: int) -> bytes:
    start = max(0, size - window)
    parts = []
    while start < size:
        part = os.pread(descriptor, min(size - start, 1 << 20), start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _mend(descriptor: int, size: int, tail: bytes) -> int:
    """Make the file end with a whole line again; return its size."""
    torn = tail[tail.rfind(b"\n") + 1 :]
    if not torn:
        return size
    is_ours = torn.startswith(_OPENING) or _OPENING.startswith(torn)
    if is_ours and _key_of(torn) is None:
        os.ftruncate(descriptor, size - len(torn))
        return size - len(torn)
    # A whole line without its end, or text that is not ours to remove.
    _write(descriptor, b"\n")
    return size + 1


def _keys_in(tail: bytes) -> set[str]:
    return {key for line in tail.split(b"\n") if (key := _key_of(line)) is not None}


def _key_of(line: bytes) -> str | None:
    if not line.startswith(_OPENING):
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    key = document.get("key")
    return key if isinstance(key, str) else None


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
