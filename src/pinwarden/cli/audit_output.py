"""Where reports of audits go: a line or a page at a time, or one document of all of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pinwarden.audit.report import AuditReport
from pinwarden.cli.long_lists import progress_bar
from pinwarden.cli.output import answer
from pinwarden.cli.pin.writing import write_file
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.pinning.pinset import PinSet

if TYPE_CHECKING:
    from pinwarden.audit.rendering.text import Summary

__all__ = ["Output", "open_output", "progress"]

_WIDEST = 100
# Fewer hosts than that are done before anybody could read a progress bar.
_WORTH_A_BAR = 5
_STREAMED = ("text", "json")


class Output:
    """Takes reports as they come; what is left of them is written at the end."""

    def __init__(self, form: str, write: Callable[[str], None], pins: PinSet | None) -> None:
        self._form, self._write, self._pins = form, write, pins
        self._reports: list[AuditReport] = []
        self._count = 0
        self._summary: Summary | None = None

    def add(self, report: AuditReport) -> None:
        """Tell of one host, or keep it for the document."""
        if self._form == "json":
            from pinwarden.audit.rendering.machine import audit_json

            line = json.dumps(audit_json(report), ensure_ascii=True, separators=(",", ":"))
            self._write(f"{line}\n")
        elif self._form == "text":
            from pinwarden.audit.rendering.text import Summary, render_audit_text

            self._summary = self._summary or Summary()
            self._summary.add(report)
            text = render_audit_text(report, width=_width(), colour=_colour())
            self._write(("\n" if self._count else "") + text)
        else:
            self._reports.append(report)
        self._count += 1

    def finish(self) -> None:
        """Write the document, if there is to be one, or what many texts come to together."""
        if self._form not in _STREAMED:
            self._write(self._document())
        elif self._summary is not None and self._count > 1:
            self._write("\n" + self._summary.text(width=_width(), colour=_colour()))

    def _document(self) -> str:
        if self._form == "markdown":
            from pinwarden.audit.rendering.markdown import render_audit_markdown

            return render_audit_markdown(self._reports)
        if self._form == "sarif":
            from pinwarden.audit.rendering.sarif import audit_sarif

            return json.dumps(audit_sarif(self._reports), ensure_ascii=True, indent=2) + "\n"
        from pinwarden.audit.rendering.page import render_audit_html

        return render_audit_html(self._reports, self._pinned())

    def _pinned(self) -> dict[str, frozenset[str]]:
        """The pins of each target's policy, for the pictures of the chains."""
        found: dict[str, frozenset[str]] = {}
        for report in self._reports if self._pins is not None else ():
            try:
                policy = self._pins.policy_for(report.host) if self._pins is not None else None
            except MalformedError:
                continue
            if policy is not None:
                found[report.target] = frozenset(pin.curl for pin in policy.pins())
        return found


@contextmanager
def open_output(
    form: str, path: str | None, *, quiet: bool, pins: PinSet | None = None
) -> Iterator[Output]:
    """An output to stdout, or to a file, which is replaced; raises `ConfigError`."""
    if path is None:
        output = Output(form, (lambda _: None) if quiet else answer, pins)
        yield output
        output.finish()
    elif form in _STREAMED:
        with _opened(path) as file:
            output = Output(form, lambda text: _put(file, text), pins)
            yield output
            output.finish()
    else:
        _verify_writable(Path(path))
        output = Output(form, lambda text: write_file(path, text, force=True), pins)
        yield output
        output.finish()


def _verify_writable(path: Path) -> None:
    """Raises `ConfigError` now for what could not be written when all hosts were asked."""
    words = ""
    if path.is_dir():
        words = "Is a directory"
    elif not path.parent.is_dir():
        words = "there is no such directory"
    elif not os.access(path.parent, os.W_OK):
        words = "Permission denied"
    if words:
        raise ConfigError(f"file {quoted(str(path))}: cannot be written: {words}")


def _opened(path: str) -> TextIO:
    try:
        return Path(path).open("w", encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "is not a path"
        raise ConfigError(f"file {quoted(path)}: {words}") from None


def _put(file: TextIO, text: str) -> None:
    file.write(text)


def _width() -> int:
    """That of the terminal, or of COLUMNS."""
    return min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)


def _colour() -> bool:
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


@contextmanager
def progress(total: int, *, quiet: bool, answers: bool) -> Iterator[Callable[[], None]]:
    """A progress bar, moved on by each call of what it yields; `answers` go to stdout."""
    hidden = quiet or total < _WORTH_A_BAR or (answers and sys.stdout.isatty())
    done = count(1)
    with progress_bar("hosts", total, hidden=hidden) as update:
        yield lambda: update(next(done))
