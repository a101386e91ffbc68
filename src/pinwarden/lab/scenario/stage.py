"""Where the story is played: what is told and checked, and commands as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pinwarden.lab.scenario.layout import SAYS, WIDTH, command_lines, output_lines, told

PATIENCE = 30.0
"""Seconds to wait for anything at all, unless a stage says otherwise."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the story promised, in which scene, and whether it happened."""

    shield: str
    scene: str
    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command gave; without an exit code it did not end in time."""

    exit_code: int | None
    output: str
    conversation: str

    def answers(self, exit_code: int, *words: str) -> bool:
        """Whether it ended like this and said all of these words."""
        return self.exit_code == exit_code and all(word in self.output for word in words)


@dataclass(slots=True)
class Stage:
    """One telling: `tell` gets each line of the story, `pause` waits for the audience."""

    folder: Path
    tell: Tell
    pause: Callable[[], None] = lambda: None
    patience: float = PATIENCE
    checks: list[Check] = field(default_factory=list)
    _shield: str = ""
    _scene: str = ""

    def scene(self, title: str, shield: str) -> None:
        """Begin the next scene, in which that shield is to hold."""
        if self._scene:
            self.pause()
            self.tell("")
        self._shield, self._scene = shield, title
        self.tell(f"# {title}")

    def say(self, text: str) -> None:
        """Tell something, in as many lines as it takes."""
        for line in told(text):
            self.tell(line)

    def check(self, name: str, passed: bool, detail: str = "") -> None:
        """Remember and tell whether a promise was kept."""
        self.checks.append(Check(self._shield, self._scene, name, passed, detail))
        shown = f" ({detail})" if detail else ""
        self.tell(f"  {'ok' if passed else 'FAILED'}: {name}{shown}")

    def until(self, what: str, happened: Callable[[], bool]) -> None:
        """Wait for something; that it never comes is a broken promise."""
        end = time.monotonic() + self.patience
        while not happened():
            if time.monotonic() > end:
                self.check(what, passed=False, detail=f"not within {self.patience:.0f} s")
                return
            time.sleep(0.05)

    def environment(self) -> dict[str, str]:
        """That of our programs: nothing of this user's is read or written."""
        places = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
        manners = {"NO_COLOR": "1", "COLUMNS": str(WIDTH - len(SAYS))}
        return {**os.environ, **dict.fromkeys(places, str(self.folder)), **manners}

    def command(self, *arguments: str) -> list[str]:
        """How `pinwarden` is started here with these arguments."""
        return [sys.executable, "-m", "pinwarden", *arguments]

    def run(self, *arguments: str, most: int | None = None, into: str | None = None) -> Ran:
        """A command as the user would type it; shows `most` lines of its answer.

        With `into` the answer goes to that file, and is shown all the same.
        """
        for line in command_lines(arguments, into=into):
            self.tell(line)
        ran = self.ask(*arguments)
        if into is not None:
            (self.folder / into).write_text(ran.output, "utf-8")
        self.show(ran, most=most)
        return ran

    def show(self, ran: Ran, *, most: int | None = None) -> None:
        """The first lines of an answer; a command that has none says why."""
        for line in output_lines(ran.output or ran.conversation, most):
            self.tell(line)

    def ask(self, *arguments: str) -> Ran:
        """A command that the audience does not see."""
        try:
            ran = subprocess.run(  # noqa: S603 - our own program
                self.command(*arguments),
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.patience,
                check=False,
                cwd=self.folder,
                env=self.environment(),
            )
        except subprocess.TimeoutExpired:
            return Ran(None, "", f"no answer within {self.patience:.0f} s")
        return Ran(ran.returncode, ran.stdout, ran.stderr)
