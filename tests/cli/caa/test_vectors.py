"""Every committed CAA case on the real path: command line, sockets, a DNS server, a verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwarden.cli.main import run
from pinwarden.lab.dns import LabDNS
from support.caa_vectors import Case, cases

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = [*cases(VECTORS), *cases(VECTORS, "caa-more.json")]
# Only where nothing will come: an honest answer may take its time.
_IMPATIENT = ("--timeout", "0.2")


@pytest.fixture(scope="module", params=["authoritative", "validating"])
def server(request: pytest.FixtureRequest) -> Iterator[LabDNS]:
    with LabDNS({}, request.param) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def command(server: LabDNS, case: Case) -> list[str]:
    """Let the server be the world of a case; the command line that asks about it."""
    server.set_zone(".", case.zone())
    server.faults.clear()
    server.faults.update(case.faults)
    patience = _IMPATIENT if "silent" in case.faults.values() else ()
    where = f"127.0.0.1:{server.port}"
    return ["caa", "check", case.name, *case.options, "--resolver", where, "--json", *patience]


def answers(case: Case, output: str) -> None:
    """Hold one line of JSON against what the case expects."""
    (line,) = output.splitlines()
    said = json.loads(line)
    told = {
        "allowed": said["verdict"] == "allowed",
        "reason": said["reason"],
        "relevant_name": said["relevant_name"],
    }
    assert told == case.expected, said["why"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_vectors(case: Case, server: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
    """Verdict, reason and place must be those of the case; the exit code must agree."""
    code = run(command(server, case))
    answers(case, capsys.readouterr().out)
    assert code == (0 if case.expected["allowed"] else 1)


@pytest.mark.parametrize("name", ["A02", "E21", "F01", "G01", "I11"])
def test_in_a_process_of_its_own(name: str, server: LabDNS) -> None:
    """The program as it is installed must say the same, and nothing of itself."""
    case = next(each for each in CASES if each.id == name)
    ran = subprocess.run(
        [sys.executable, "-m", "pinwarden", *command(server, case)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    answers(case, ran.stdout)
    assert ran.returncode == (0 if case.expected["allowed"] else 1)
