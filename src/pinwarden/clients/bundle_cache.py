"""The last bundle that was believed, in a file that several processes share.

It holds nothing secret and is believed no more than the network: what is read here is
verified from the keys built in. What it keeps is how far the versions have come. Whoever
can write it can take a client that is started anew back to the version built in, and not
further; nobody can put pins in it that were not signed.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from typing import Any

from pinwarden.errors import StoreError, quoted
from pinwarden.pinning.bundle import LARGEST_FILE

__all__ = ["BundleCache"]

_PATIENCE = 5.0
_PAUSE = 0.02


class BundleCache:
    """One file, replaced as a whole: a reader sees the old one or the new one.

    Its neighbours `FILE.lock` and `FILE.new` belong to it.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = _PATIENCE) -> None:
        self.path = os.fspath(path)
        self._patience = patience

    def __str__(self) -> str:
        return f"bundle cache {quoted(self.path)}"

    def read(self) -> bytes | None:
        """What it holds; None if there is none. Raises `StoreError`."""
        # Not to hang on a pipe that somebody put there.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(self.path, flags)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._failed("cannot be read", error) from None
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise StoreError(f"{self}: is no file")
            with open(handle, "rb", closefd=False) as file:
                return file.read(LARGEST_FILE + 1)
        except OSError as error:
            raise self._failed("cannot be read", error) from None
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from replacing it meanwhile. Raises `StoreError`.

        Waits at most some seconds for another process.
        """
        handle = self._open_lock()
        try:
            end = time.monotonic() + self._patience
            while not _try_lock(handle):
                if time.monotonic() > end:
                    raise StoreError(f"{self}: another process does not let go of it")
                time.sleep(_PAUSE)
            yield
        finally:
            # Closing gives the lock back.
            os.close(handle)

    def _open_lock(self) -> int:
        try:
            os.makedirs(os.path.dirname(self.path) or ".", mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
            return os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o600)
        except (OSError, ValueError) as error:
            raise self._failed("cannot be locked", error) from None

    def write(self, data: bytes) -> None:
        """Replace it, so that a power cut leaves the old file or the new one.

        Only for whoever holds it `locked`. Raises `StoreError`.
        """
        new = f"{self.path}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | getattr(os, "O_BINARY", 0)
        try:
            # Left by a process that was killed, since the lock is ours.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)  # noqa: PTH108 - pathlib costs a pinning program its import
            with open(os.open(new, flags, 0o600), "wb") as file:  # noqa: PTH123
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self.path)  # noqa: PTH105
            _sync_folder(os.path.dirname(self.path) or ".")  # noqa: PTH120
        except OSError as error:
            raise self._failed("cannot be written", error) from None

    def _failed(self, what: str, error: OSError | ValueError) -> StoreError:
        why = getattr(error, "strerror", None) or error
        return StoreError(f"{self}: {what}: {why}")


_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)


def _sync_folder(path: str) -> None:
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        module: Any = _locking()
        if os.name == "posix":
            module.flock(handle, module.LOCK_EX | module.LOCK_NB)
        else:
            module.locking(handle, module.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _locking() -> Any:
    import importlib

    return importlib.import_module("fcntl" if os.name == "posix" else "msvcrt")
