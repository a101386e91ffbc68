"""`pinwarden demo`: a world on loopback, an attack, and the answer to it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from pinwarden.cli.output import ExitCode, answer, answer_json, say


@click.command()
@click.option("--check", is_flag=True, help="Play without waiting; exit 1 if anything failed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document of what was checked.")
def demo(check: bool, as_json: bool) -> int:
    """Play an attack in a world on loopback, and show it answered.

    Two certification authorities, a CT log of each protocol and the monitor, all
    real processes and sockets on this machine; nothing else is contacted.
    """
    from pinwarden.lab.scenario import Scenario

    waits = not check and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="pinwarden-demo-") as folder:
        scenario = Scenario(
            folder=Path(folder),
            tell=say if as_json else answer,
            pause=_wait_for_enter if waits else lambda: None,
        )
        checks = scenario.play()
    failed = [each for each in checks if not each.passed]
    if as_json:
        answer_json(
            {
                "checks": [
                    {"name": each.name, "passed": each.passed, "detail": each.detail}
                    for each in checks
                ],
                "failed": len(failed),
            }
        )
    else:
        answer("")
        answer(f"{len(checks) - len(failed)} of {len(checks)} checks passed")
    for each in failed:
        say(f"error: {each.name}: {each.detail or 'did not hold'}")
    return ExitCode.FINDINGS if failed else ExitCode.OK


def _wait_for_enter() -> None:
    click.pause("  (press any key for what happens next)")
