"""Whether another living process is sending alerts from the same store.

A process that sends holds a shared lock on a file beside the database; the
system drops it when the process ends, however it ends. Whoever gets the lock
exclusively is alone, so all that is marked as being sent was left by the dead.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pinwarden.errors import StoreError, quoted

try:
    import fcntl
except ImportError:  # A system without advisory locks: one process a store, by agreement.
    fcntl = None  # type: ignore[assignment]  # typeshed knows the module on this system only

# Others hold the lock exclusively only while they recover, which is one transaction.
_PATIENCE = 30.0
_PAUSE = 0.02


class SendersLock:
    """The lock of one store; without a file (a database in memory) always alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path if fcntl is not None else None
        self._file: int | None = None

    async def share(self) -> None:
        """Say that this process may be sending from now on."""
        if self._path is None or self._file is not None:
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        file = _open(self._path)
        while not _locked(file, exclusive=False):
            if loop.time() > deadline:
                os.close(file)
                raise StoreError(f"store {quoted(str(self._path))}: locked by another process")
            await asyncio.sleep(_PAUSE)
        self._file = file

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Whether no other living process is sending, true for as long as the context lasts.

        Within it this process counts as sending, too, so the answer is No to whoever
        has sent already.
        """
        if self._path is None:
            yield True
            return
        if self._file is not None:
            yield False
            return
        # Exclusively first: two that had both shared it would refuse each other.
        file = _open(self._path)
        try:
            yield _locked(file, exclusive=True)
        finally:
            os.close(file)
        await self.share()

    def release(self) -> None:
        """Say that this process sends no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"store {quoted(str(path))}: {error.strerror}") from error


def _locked(file: int, *, exclusive: bool) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
