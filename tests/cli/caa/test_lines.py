"""Answers by the thousand: the same JSON from both encoders, and a bar that keeps out of it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.cli.caa import lines
from pinwarden.cli.caa.lines import Lines

ROWS = st.dictionaries(
    st.text(max_size=5),
    st.one_of(st.text(), st.none(), st.booleans(), st.integers(0, 2**31), st.lists(st.text())),
)


@given(ROWS)
def test_both_encoders_write_the_same(row: dict[str, object]) -> None:
    slow = json.dumps(row, separators=(",", ":"))
    assert lines._fast_encoder()(row) == slow
    assert slow.isascii()
    assert slow.isprintable()


def test_every_line_is_written_once_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines() as written:
        for number in range(1000):
            written.add_json({"number": number})
    told = [json.loads(line)["number"] for line in capsys.readouterr().out.splitlines()]
    assert told == list(range(1000))


def test_what_was_answered_is_written_when_it_ends_badly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted() -> None:
        with Lines() as written:
            written.add("one")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().out == "one\n"


def test_a_bar_on_the_terminal_leaves_the_answers_alone(tmp_path: Path) -> None:
    """With stderr on a terminal and stdout in a file, the bar goes to one and JSON to the other."""
    (tmp_path / "names").write_text("".join(f"h{number}.example\n" for number in range(300)))
    # Nothing listens there, and a refused port is told at once.
    arguments = ["caa", "check", "--issuer=a.example", "--json", "--resolver=127.0.0.1:9"]
    master, slave = pty.openpty()
    with (tmp_path / "out").open("wb") as out:
        program = subprocess.Popen(
            [
                *(sys.executable, "-m", "pinwarden", *arguments, "--timeout=1"),
                *("--names", str(tmp_path / "names")),
            ],
            stdout=out,
            stderr=slave,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path)},
        )
    os.close(slave)
    seen = b""
    # On Linux the end of a terminal is an error, EIO.
    try:
        while data := os.read(master, 65536):
            seen += data
    except OSError:
        pass
    finally:
        os.close(master)
    assert program.wait(60) == 1
    assert b"300" in seen
    answers = (tmp_path / "out").read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in answers] == ["unknown"] * 300


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["make", "check"])
def test_an_answer_that_cannot_be_written_is_no_verdict(command: str, tmp_path: Path) -> None:
    """A full disk is one line and exit code 3: 1 would say that a CA may not issue."""
    (tmp_path / "zone").write_text('$ORIGIN example.com.\n@ 60 IN CAA 0 issue "letsencrypt.org"\n')
    arguments = {
        "make": ["--ca=letsencrypt.org"],
        "check": ["--issuer=letsencrypt.org", "--zone", str(tmp_path / "zone")],
    }
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "pinwarden", "caa", command, "example.com", *arguments[command]],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 3
    assert "pinwarden: error: the answer cannot be written: No space left on device\n" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
