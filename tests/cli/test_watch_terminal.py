"""What a terminal sees of `pinwarden watch`, and a pipe does not."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import on_terminal
from cli.watching import PATIENCE, WATCHED, Home, Run, eventually, verify_tidy
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def served() -> Iterator[LabLog]:
    log = LabLog("log")
    fill(log, 300, plant=["old.shop.example"])
    with LabServer([log]):
        yield log


def test_no_control_characters_in_a_pipe(home: Home, served: LabLog) -> None:
    """Piped output is plain text, in both forms, even where colour is asked for."""
    home.list_logs(served)
    arguments = ["watch", WATCHED, "--once", "--start", "beginning", "--log-list", "logs.json"]
    ran = subprocess.run(
        [sys.executable, "-m", "pinwarden", *arguments],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        cwd=home.folder,
        env=home.environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )
    Run(ran.returncode, ran.stdout.decode(), ran.stderr.decode()).checked(1)
    assert b"\x1b" not in ran.stdout + ran.stderr
    assert b"\r" not in ran.stdout + ran.stderr


def test_a_reader_that_goes_away(home: Home, served: LabLog) -> None:
    """A reader who has seen enough does not make it wait, and the sighting is kept."""
    home.list_logs(served)
    arguments = "watch .shop.example --once --json --start beginning --log-list logs.json"
    ran = subprocess.run(
        f"{sys.executable} -m pinwarden {arguments} | true",
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd=home.folder,
        env=home.environment,
    )
    verify_tidy(ran.stderr)
    assert all(line.startswith("pinwarden: ") for line in ran.stderr.splitlines())
    assert len(home.run("sightings", "list", "--json").checked(0).lines) == 1


@pytest.mark.parametrize("columns", [80, 130])
def test_the_live_table(home: Home, served: LabLog, columns: int) -> None:
    """On a terminal a table shows where each log stands, and an alert leaves it whole."""
    home.list_logs(served)
    home.configure(channels=[{"type": "stdout"}], start="now")
    ca = CA("Some CA")
    with on_terminal(home, "watch", "-c", str(home.config), columns=columns) as terminal:
        terminal.await_("1 log (1 up to date)")
        for number in range(3):
            name = f"n{number}.shop.example"
            served.add_precertificate(ca.issue([name]).precertificate_chain)
            terminal.await_(name)
        # Whatever redraws the table has done so.
        time.sleep(1.2)
        assert "\x1b[" in terminal.raw
        screen = terminal.screen()
        text = "\n".join(screen)
        assert text.count("1 log (1 up to date)") == 1, text
        assert sum(bool(re.match(r"log +state +entries", line)) for line in screen) == 1, text
        assert len([line for line in screen if "303" in line and "up to date" in line]) == 1, text
        for number in range(3):
            assert f"n{number}.shop.example" in text, text
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(PATIENCE) == 0
        terminal.finish()
        assert terminal.screen()[-1] == "pinwarden: stopped"
        assert terminal.raw.rfind("\x1b[?25h") > terminal.raw.rfind("\x1b[?25l"), "cursor is back"


def test_messages_leave_the_table_whole(home: Home, served: LabLog) -> None:
    """What is said while the table is shown stands above it, in lines of its own."""
    home.list_logs(served)
    home.configure(channels=[{"type": "stdout"}])
    good = home.config.read_text()
    with on_terminal(home, "watch", "-c", str(home.config)) as terminal:
        terminal.await_("1 log (1 up to date)")
        terminal.process.send_signal(signal.SIGHUP)
        terminal.await_("reloaded: watching 1 item")
        home.config.write_text("watch = [")
        terminal.await_("not reloaded")
        served.faults.garbage = "html"
        terminal.await_("(1 failing)")
        home.config.write_text(good)
        eventually(lambda: terminal.raw.count("reloaded: w") > 1, lambda: terminal.raw)
        time.sleep(1.2)
        screen = terminal.screen()
        text = "\n".join(screen)
        starts = [line for line in screen if re.match(r"pinwarden: (not )?reloaded", line)]
        assert len(starts) == 3, text
        assert len([line for line in screen if line.startswith("1 log (1 failing)")]) == 1, text
        assert sum(bool(re.match(r"log +state +entries", line)) for line in screen) == 1, text
        assert "1 up to date" not in text, text
        assert len([line for line in screen if re.search(r"failing +300 +300", line)]) == 1, text
        assert any(line.startswith("pinwarden: log ") for line in screen), text


def test_progress_of_one_run(home: Home, served: LabLog) -> None:
    """`--once` on a terminal shows its progress and then leaves the result on the screen."""
    fill(served, 3000, seed=2)
    served.faults.slow, served.faults.on = 0.4, "get-entries"
    home.list_logs(served)
    home.configure(channels=[{"type": "stdout"}], start="beginning", logs={"parallel": 1})
    with on_terminal(home, "watch", "-c", str(home.config), "--once") as terminal:
        terminal.await_("catching up")
        assert terminal.process.wait(PATIENCE) == 1
        terminal.finish()
        text = "\n".join(terminal.screen())
        assert re.search(r"3,300 entries read, 1 alert", text), text
        assert text.count("1 log (1 up to date)") == 1, text
        assert "━" in text
        assert "old.shop.example" in text


@pytest.mark.parametrize("extra", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_terminals_that_want_less(home: Home, served: LabLog, extra: dict[str, str]) -> None:
    """No colour where it is not wanted, and no control sequence at all where it cannot be shown."""
    home.list_logs(served)
    home.configure(channels=[{"type": "stdout"}], start="beginning")
    arguments = ("watch", "-c", str(home.config), "--once")
    with on_terminal(home, *arguments, extra=extra) as terminal:
        assert terminal.process.wait(PATIENCE) == 1
        terminal.finish()
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.raw)
        assert "TERM" not in extra or "\x1b" not in terminal.raw
        assert "old.shop.example" in terminal.raw
