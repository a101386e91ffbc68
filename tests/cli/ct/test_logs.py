"""`pinwarden ct logs`: the question of a CA, answered from the lists that are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.ct.conftest import CT
from pinwarden.cli.ct.logs_view import logs_text, stated
from pinwarden.ct.known_logs import known_logs
from pinwarden.ct.log import (
    Listing,
    Log,
    LogKind,
    LogState,
    PreviousOperator,
    Program,
)
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.names import display


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, so that nothing of the user's is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def date(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def own_list(tmp_path: Path) -> Path:
    """A list of three logs in three states, two of them of one operator."""
    year = (date("2027-01-01"), date("2028-01-01"))
    logs = (
        LabLog("open", interval=year, operator="North"),
        LabLog("tiled", kinds=(LogKind.STATIC,), operator="North"),
        LabLog("closed", state=LogState.READONLY, interval=year, operator="South"),
        LabLog("private", state=LogState.UNKNOWN, operator="South"),
    )
    file = tmp_path / "logs.json"
    file.write_bytes(log_list_json(logs, at=date("2026-10-01")))
    return file


def names(ran) -> set[str]:
    """The short names of the logs that were shown."""
    return {each["description"].split("'")[1] for each in ran.lines}


def test_all_logs_of_a_list(ct: CT, own_list: Path) -> None:
    """Which there are, how they are read, and what is said of them."""
    ran = ct("logs", "--log-list", own_list, "--json")
    assert ran.code == 0
    assert names(ran) == {"open", "tiled", "closed", "private"}
    by_name = {each["description"].split("'")[1]: each for each in ran.lines}
    assert by_name["open"]["protocol"] == "rfc6962"
    assert by_name["open"]["not_after"] == ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]
    assert by_name["open"]["states"] == {"user": "usable"}
    assert by_name["tiled"]["protocol"] == "static-ct"
    assert by_name["tiled"]["url"].endswith("/tiles/")
    assert by_name["tiled"]["submission_url"].endswith("/submit/")
    assert by_name["closed"]["final_size"] == 0
    text = ct("logs", "--log-list", own_list)
    assert "4 logs of 4, 2 operators" in text.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--usable",), {"open", "tiled", "private"}),
        (("--accepts", "2027-03-01"), {"open", "tiled", "private"}),
        (("--accepts", "2026-12-31T23:59:59Z"), {"tiled", "private"}),
        (("--accepts", "2028-01-01"), {"tiled", "private"}),
        (("--operator", "north"), {"open", "tiled"}),
        (("--operator", "SOUTH", "--usable"), {"private"}),
        (("--usable", "--at", "2026-09-01"), {"open", "tiled", "closed", "private"}),
    ],
    ids=lambda value: "-".join(value).replace("--", "") if isinstance(value, tuple) else "",
)
def test_questions(ct: CT, own_list: Path, options: tuple[str, ...], expected: set[str]) -> None:
    """Half open intervals, names in any case, states as of a time."""
    assert names(ct("logs", "--log-list", own_list, "--json", *options)) == expected


def test_whoever_submits_is_told_where(ct: CT, own_list: Path) -> None:
    """A static log is read at one address, and takes certificates at another."""
    tiled = ("logs", "--log-list", own_list, "--operator", "north")
    assert "/tiles/" in ct(*tiled).out
    submitting = ct(*tiled, "--accepts", "2027-03-01").out
    assert "/submit/" in submitting
    assert "/tiles/" not in submitting


def test_no_such_log(ct: CT, own_list: Path) -> None:
    """Nothing on stdout, a word on stderr, and the exit code of a question that failed."""
    ran = ct("logs", "--log-list", own_list, "--operator", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert "none of 4 logs" in ran.err


@pytest.mark.parametrize("option", ["--at", "--accepts"])
def test_a_date_that_is_none(ct: CT, option: str) -> None:
    """One line, and exit code 2."""
    ran = ct("logs", option, "soon")
    assert ran.code == 2
    assert f"{option} 'soon': not a date" in ran.err


def test_the_logs_that_ship(ct: CT) -> None:
    """Without any list the shipped ones answer: whoever issues until March 2027 logs here."""
    ran = ct("logs", "--usable", "--accepts", "2027-03-01", "--json")
    assert ran.code == 0
    assert len({each["operator"] for each in ran.lines}) >= 2
    assert {each["protocol"] for each in ran.lines} == {"rfc6962", "static-ct"}
    for each in ran.lines:
        start, end = each["not_after"]
        assert start <= "2027-03-01T00:00:00Z" < end
        assert "usable" in each["states"].values()
        assert each["submission_url"].startswith("https://")


def test_states_and_operators_of_another_time() -> None:
    """Logs change hands and states; before what lists tell nothing is known."""
    log = Log(
        log_id=known_logs().logs[0].log_id,
        key=b"",
        description="a log",
        operator="new",
        kind=LogKind.RFC6962,
        url="https://log.example/",
        previous_operators=(PreviousOperator("old", date("2022-01-01")),),
        listings=(
            Listing(
                program=Program.CHROME,
                operator="new",
                state=LogState.RETIRED,
                since=date("2023-01-01"),
                earlier=((LogState.USABLE, date("2021-01-01")),),
            ),
        ),
    )
    for moment, operator, state in (
        ("2020-01-01", "old", LogState.UNKNOWN),
        ("2021-01-01", "old", LogState.USABLE),
        ("2022-06-01", "new", LogState.USABLE),
        ("2023-01-01", "new", LogState.RETIRED),
    ):
        found = stated(log, date(moment))
        assert (found.operator, found.states) == (operator, ((Program.CHROME, state),))


def test_the_table_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the terminal, and hostile names are shown as text."""
    shown = [stated(log, date("2026-10-01")) for log in known_logs().logs]
    for width in (80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        text = logs_text(shown, len(shown), rich=True)
        assert "usable" in text
        assert ("operator" in text.splitlines()[0]) is (width == 200)


def test_hostile_names(ct: CT, tmp_path: Path) -> None:
    """A list is foreign text."""
    log = LabLog("bad", operator="\x1b[2J[bold]evil\u202e")
    file = tmp_path / "logs.json"
    file.write_bytes(log_list_json([log]))
    ran = ct("logs", "--log-list", file)
    assert ran.code == 0
    assert display("\x1b[2J[bold]evil\u202e") in ran.out
    assert json.loads(ct("logs", "--log-list", file, "--json").out)["operator"].startswith("\x1b")
