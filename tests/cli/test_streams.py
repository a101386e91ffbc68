"""The program when its streams are closed, full, or cannot hold every character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinwarden.lab.ca import pem
from support.pin_world import world


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A file with pins to show, whose name most encodings lack."""
    file = tmp_path / "\u00e9\u2603.pem"
    file.write_bytes(pem(world().chains["genuine"].certificates))
    return file


def run(after: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `pinwarden ARGUMENTS` comes to, with a piece of shell after it."""
    return subprocess.run(
        ["/bin/bash", "-c", f'"$@" {after}', "bash", sys.executable, "-m", "pinwarden", *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        env=os.environ | environment,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("after", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(after: str, shown: Path) -> None:
    ran = run(after, "pin", "show", shown)
    assert ran.returncode == 0
    assert "Traceback" not in ran.stderr
    assert ("sha256//" in ran.stdout) is (">&-" not in after.replace("2>&-", ""))


def test_a_closed_stdin_is_empty() -> None:
    ran = run("<&-", "pin", "show", "-")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "standard input: is empty" in ran.stderr


def test_a_reader_that_went_away(shown: Path) -> None:
    """It is not told as findings, which is what click's own code for it would mean here."""
    ran = run("| true; exit ${PIPESTATUS[0]}", "pin", "show", *[shown] * 500)
    assert ran.returncode == 3
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk(shown: Path) -> None:
    ran = run("> /dev/full", "pin", "show", shown)
    assert ran.returncode == 3
    assert "the answer cannot be written" in ran.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_characters_that_the_encoding_lacks(encoding: str, shown: Path) -> None:
    ran = run("", "pin", "show", shown, PYTHONIOENCODING=encoding)
    assert ran.returncode == 0
    assert "sha256//" in ran.stdout
    assert "Traceback" not in ran.stderr
