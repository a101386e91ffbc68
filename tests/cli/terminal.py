"""A terminal that a program writes to, and the screen that a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cli.watching import PATIENCE, Home, eventually


class Terminal:
    """What a person would see: a screen that understands what a table needs."""

    def __init__(
        self, home: Home, arguments: tuple[str, ...], extra: dict[str, str], columns: int
    ) -> None:
        self._columns = columns
        self._master, slave = pty.openpty()
        size = struct.pack("HHHH", 60, columns, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pinwarden", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=slave,
            cwd=home.folder,
            env=home.environment | {"TERM": "xterm-256color"} | extra,
        )
        os.close(slave)
        self._received = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # On Linux the end of a terminal is an error, EIO.
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._received += data

    @property
    def raw(self) -> str:
        """Everything that was sent to the terminal."""
        return bytes(self._received).decode("utf-8", "replace")

    def await_(self, text: str) -> None:
        eventually(lambda: text in self.raw, lambda: f"{text!r} in\n{self.raw}")

    def finish(self) -> None:
        """Take in the last of what an ended process sent."""
        self._reader.join(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.finish()
        os.close(self._master)

    def screen(self) -> list[str]:
        """The lines on the screen, without empty ones at its end."""
        return render_screen(self.raw, self._columns)


_CONTROL = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|\r|\n|\x1b.|[^\x1b\r\n]+")


def render_screen(raw: str, columns: int) -> list[str]:
    """The lines that a terminal shows, which is high enough never to scroll."""
    lines: dict[int, str] = {}
    row = column = 0
    for match in _CONTROL.finditer(raw):
        piece, count, command = match[0], match[1], match[2]
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
        elif command == "A":
            row -= int(count or 1)
            assert row >= 0, "above the first line"
        elif command == "K":
            line = lines.get(row, "")
            lines[row] = "" if count == "2" else line[:column]
        elif command is None and not piece.startswith("\x1b"):
            while piece:
                if column == columns:
                    row, column = row + 1, 0
                now, piece = piece[: columns - column], piece[columns - column :]
                line = lines.get(row, "").ljust(column)
                lines[row] = line[:column] + now + line[column + len(now) :]
                column += len(now)
        else:
            assert command in ("m", "h", "l"), f"what is {piece!r}?"
    shown = [lines.get(number, "").rstrip() for number in range(max(lines, default=0) + 1)]
    while shown and not shown[-1]:
        shown.pop()
    return shown


@contextmanager
def on_terminal(
    home: Home, *arguments: str, extra: dict[str, str] | None = None, columns: int = 130
) -> Iterator[Terminal]:
    terminal = Terminal(home, arguments, extra or {}, columns)
    try:
        yield terminal
    finally:
        terminal.close()
