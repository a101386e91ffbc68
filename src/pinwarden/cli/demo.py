"""`pinwarden demo`: a world on loopback, an attack, and the answer to it."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinwarden.cli.output import ExitCode, answer, answer_json, on_terminal, say

if TYPE_CHECKING:
    from pinwarden.lab.scenario.stage import Check

_SHIELDS = {
    "prevent": "CAA records: made, checked, verified, observed",
    "detect": "CT logs: read whole, checked, each issuance told once",
    "defend": "pins in your own clients: made, kept, checked",
    "examine": "audits: what is served, promised, permitted",
}
# What catches the eye, and how: a heading, a command, a promise kept or broken, an alert.
_COLOURS: tuple[tuple[re.Pattern[str], dict[str, str | bool]], ...] = (
    (re.compile(r"# .*"), {"bold": True}),
    (re.compile(r"  \$ .*|      \S.*"), {"fg": "cyan"}),
    (re.compile(r"  ok(?=:)"), {"fg": "green"}),
    (re.compile(r"  FAILED(?=:)"), {"fg": "red", "bold": True}),
    (re.compile(r"  \| (critical|high): .*"), {"fg": "red"}),
    (re.compile(r"  \| medium: .*"), {"fg": "yellow"}),
)


@click.command()
@click.option("--check", is_flag=True, help="Play without waiting; exit 1 if anything failed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document of what was checked.")
def demo(check: bool, as_json: bool) -> int:
    """Play an attack in a world on loopback, and show each shield answer it.

    Two certification authorities, two DNS servers, a CT log of each protocol and the
    monitor, all real processes and sockets on this machine; nothing else is contacted.
    """
    from pinwarden.lab.scenario.stage import Stage
    from pinwarden.lab.scenario.story import Story

    waits = not check and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="pinwarden-demo-") as folder:
        stage = Stage(
            folder=Path(folder),
            tell=say if as_json else _tell,
            pause=_wait_for_enter if waits else lambda: None,
        )
        checks = Story(stage).play()
    return conclude(checks, as_json=as_json)


def conclude(checks: Sequence[Check], *, as_json: bool) -> int:
    """Sum up what was checked, by shield; the exit code says whether all of it held."""
    failed = [each for each in checks if not each.passed]
    if as_json:
        document = [
            {
                "shield": each.shield,
                "scene": each.scene,
                "name": each.name,
                "passed": each.passed,
                "detail": each.detail,
            }
            for each in checks
        ]
        answer_json({"checks": document, "failed": len(failed)})
    else:
        _sum_up(checks, len(failed))
    for each in failed:
        say(f"error: {each.scene}: {each.name}: {each.detail or 'did not hold'}")
    # A shield of which nothing was checked has not been seen to hold.
    unseen = _SHIELDS.keys() - {each.shield for each in checks}
    return ExitCode.FINDINGS if failed or unseen else ExitCode.OK


def _sum_up(checks: Sequence[Check], failed: int) -> None:
    _tell("")
    _tell(f"# {len(checks) - failed} of {len(checks)} checks passed")
    for shield, means in _SHIELDS.items():
        own = [each.passed for each in checks if each.shield == shield]
        _tell(f"  {shield:<8} {means:<54} {sum(own)} of {len(own)}")


def _tell(line: str) -> None:
    answer(_coloured(line) if on_terminal() and "NO_COLOR" not in os.environ else line)


def _coloured(line: str) -> str:
    for pattern, how in _COLOURS:
        found = pattern.match(line)
        if found:
            return click.style(found[0], **how) + line[found.end() :]  # type: ignore[arg-type]
    return line


def _wait_for_enter() -> None:
    click.pause("  (press any key for what happens next)")
