"""The groups of commands."""

from __future__ import annotations

import pytest

from pinwarden.cli.main import run


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(("wtach",), "watch"), (("caa", "mkae"), "make"), (("caa", "cehck"), "check")],
)
def test_a_mistyped_command_names_the_nearest(
    typed: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the fingers costs no look at the help."""
    assert run(typed) == 2
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


def test_a_command_like_no_other_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing near is suggested where nothing is near, and what was typed is shown escaped."""
    assert run(["zz\x1b[31m"]) == 2
    said = capsys.readouterr().err
    assert "did you mean" not in said
    assert "\x1b" not in said
