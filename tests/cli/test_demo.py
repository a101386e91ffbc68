"""`pinwarden demo`: the story as a user gets it, and what its exit code stands for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pinwarden.cli.demo import conclude
from pinwarden.lab.ca import CA
from pinwarden.lab.scenario.defend import Defend
from pinwarden.lab.scenario.examine import Examine
from pinwarden.lab.scenario.stage import Check, Stage
from pinwarden.lab.scenario.story import Story

HELD = (
    Check("prevent", "Policy", "it is refused", passed=True),
    Check("detect", "Attack", "it is seen", passed=True, detail="0.1 s"),
    Check("defend", "Client", "it says nothing", passed=True),
    Check("examine", "Audit", "it is found", passed=True),
)
BROKEN = Check("prevent", "Change", "it is reported", passed=False, detail="exit code 3")


def test_every_shield_answers_the_attack() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pinwarden", "demo", "--check"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    lines = ran.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert "FAILED" not in ran.stdout
    assert "\x1b" not in ran.stdout
    for promise in (
        "the rogue CA may not",
        "the damage is found",
        "unauthorized",
        "who may issue now",
        "and says nothing: 0 bytes",
        "PW-HPKP-PRESENT",
        "PW-AUDIT-RENEWAL-REFUSED",
    ):
        assert promise in ran.stdout
    assert lines[-1].startswith("  examine")
    # What is said of an alert comes after it.
    alerts = ("| medium: ", "| medium: ", "| high: ", "| high: ", "| critical: ", "| medium: ")
    said = ("within seconds", "(cn-bmp)", "(cut)", "who may issue now", "the lie", "all the while")
    at = 0
    for words in (each for pair in zip(alerts, said, strict=True) for each in pair):
        at = ran.stdout.index(words, at)


def test_a_world_in_which_dns_does_not_answer_fails_the_story(tmp_path: Path) -> None:
    """The promises about CAA are not kept by the rest of the world."""
    stage = Stage(folder=tmp_path, tell=lambda _: None, patience=4)
    story = Story(stage)
    first, _ = story.dns
    first.faults["login.shop.example"] = "servfail"
    failed = {check.scene.partition(":")[0] for check in story.play() if not check.passed}
    assert "Prevent" in failed
    assert "The attacker gets into your DNS account" in failed
    assert "Was Rogue CA allowed to? The policy at that time says" in failed
    assert conclude(stage.checks, as_json=True) == 1


def test_a_client_that_is_not_pinned_fails_the_story(tmp_path: Path) -> None:
    """The promises of the third shield hang on the pins and on nothing else."""
    stage = Stage(folder=tmp_path, tell=lambda _: None)
    Defend(stage, CA("Honest CA"), CA("Rogue CA"), holds=False).play()
    failed = [check.name for check in stage.checks if not check.passed]
    assert failed == [
        "the pinned client refuses, and says nothing: 0 bytes",
        "nor when your certificates are sent along: 0 bytes",
    ]


def test_the_document_has_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude([*HELD, BROKEN], as_json=True) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["failed"] == 1
    assert document["checks"][1] == {
        "shield": "detect",
        "scene": "Attack",
        "name": "it is seen",
        "passed": True,
        "detail": "0.1 s",
    }
    assert said.err == "pinwarden: error: Change: it is reported: exit code 3\n"


def test_the_end_sums_up_each_shield(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude([*HELD, BROKEN], as_json=False) == 1
    shown = capsys.readouterr().out
    assert "# 4 of 5 checks passed" in shown
    assert [line.split()[-3:] for line in shown.splitlines()[2:5]] == [
        ["1", "of", "2"],
        ["1", "of", "1"],
        ["1", "of", "1"],
    ]


def test_a_shield_that_was_not_seen_did_not_hold() -> None:
    assert conclude(HELD, as_json=False) == 0
    assert conclude(HELD[:2], as_json=False) == 1


def test_a_log_that_breaks_its_promise_fails_the_story(tmp_path: Path) -> None:
    """What the fourth shield says of a log hangs on what is in the log."""
    stage = Stage(folder=tmp_path, tell=lambda _: None)
    Examine(stage, CA("Honest CA"), CA("Rogue CA"), keeps=False).play()
    failed = [check.name for check in stage.checks if not check.passed]
    assert failed == ["both prove it", "the evidence holds without a network"]
