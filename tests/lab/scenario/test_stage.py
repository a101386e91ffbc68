"""What the stage remembers, and how it runs commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinwarden.lab.scenario.stage import Stage


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def stage(tmp_path: Path, lines: list[str]) -> Stage:
    return Stage(folder=tmp_path, tell=lines.append)


def test_what_never_happens_is_a_broken_promise(stage: Stage, lines: list[str]) -> None:
    stage.patience = 0.1
    stage.scene("Waiting", "detect")
    stage.until("it comes", lambda: True)
    assert stage.checks == []
    stage.until("it comes", lambda: False)
    (check,) = stage.checks
    assert (check.shield, check.scene, check.passed) == ("detect", "Waiting", False)
    assert lines[-1] == "  FAILED: it comes (not within 0 s)"


def test_the_audience_is_waited_for_between_scenes_only(tmp_path: Path) -> None:
    pauses: list[None] = []
    stage = Stage(folder=tmp_path, tell=lambda _: None, pause=lambda: pauses.append(None))
    stage.scene("One", "detect")
    assert pauses == []
    stage.scene("Two", "detect")
    assert len(pauses) == 1


def test_a_command_is_shown_with_its_answer(stage: Stage, lines: list[str]) -> None:
    ran = stage.run("caa", "make", "a.example", "--ca", "ca.example", into="a.zone")
    assert ran.answers(0, 'issue "ca.example"')
    assert (stage.folder / "a.zone").read_text() == ran.output
    assert lines[0] == "  $ pinwarden caa make a.example --ca ca.example > a.zone"
    assert lines[1].startswith("  | a.example.")


def test_a_command_without_an_answer_says_why(stage: Stage, lines: list[str]) -> None:
    ran = stage.run("caa", "make", "a.example")
    assert ran.exit_code == 2
    assert lines[1].startswith("  | pinwarden: error: ")


def test_a_command_that_hangs_has_no_exit_code(stage: Stage) -> None:
    stage.patience = 0.01
    ran = stage.ask("caa", "issuers")
    assert ran.exit_code is None
    assert not ran.answers(0)


def test_commands_see_nothing_of_the_user(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")
    places = {key: value for key, value in stage.environment().items() if key.startswith("XDG_")}
    assert places["XDG_CONFIG_HOME"] == places["XDG_STATE_HOME"] == str(stage.folder)
