"""Foreign programs as child processes: found where `make peers` puts them, or skipped."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

_BIN = Path(__file__).parents[2] / ".peers" / "bin"
_PATIENCE = 30.0
# Below the ports that Linux (32768) and others (49152) give away by themselves.
_PORTS = range(12_000, 32_000)


def program(name: str) -> Path:
    """The path of a foreign program; skips, naming it, where it is absent."""
    ours = _BIN / name
    if ours.is_file():
        return ours
    installed = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if installed is None:
        pytest.skip(f"{name} is not here: `make peers` installs it, or says why it cannot")
    return Path(installed)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at this moment, over UDP or TCP.

    Not from the range that the system gives to whoever asks for any port: there some other
    test's socket may take it before the program is up that it is for.
    """
    for _ in range(1000):
        port = secrets.randbelow(_PORTS.stop - _PORTS.start) + _PORTS.start
        with (
            socket.socket() as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            suppress(OSError),
        ):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


@contextmanager
def running(command: list[str | Path], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child process, its words in `folder`, told to go and waited for at the end."""
    words = folder / f"{Path(command[0]).name}.words"
    with words.open("wb") as out:
        child = subprocess.Popen(
            [*_without_immutable_files(), *command], cwd=folder, stdout=out, stderr=out
        )
    try:
        yield child
    finally:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()
        child.wait()


def answering(child: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    """Wait until the child answers at `url`; fail with its own words when it does not."""

    def answers() -> bool:
        assert child.poll() is None, words_of(folder)
        with suppress(URLError, ConnectionError), urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
        return False

    assert eventually(answers), words_of(folder)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether `holds` comes true while patience lasts."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def _without_immutable_files() -> list[str]:
    # sunlight marks its tiles immutable where it may (as root on ext4), and nobody could then
    # remove the test's folder.
    if os.geteuid() == 0 and shutil.which("setpriv"):
        return ["setpriv", "--bounding-set=-linux_immutable"]
    return []


def words_of(folder: Path) -> str:
    """What the children that ran in a folder said last."""
    return "\n".join(each.read_text(errors="replace")[-4000:] for each in folder.glob("*.words"))
