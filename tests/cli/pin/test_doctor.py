"""`pinwarden pin doctor` as a process of its own, since it looks at what is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def doctor(*options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pinwarden", "pin", "doctor", *options],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
    )


def answer(*options: str, code: int = 0, cwd: Path | None = None) -> dict[str, Any]:
    ran = doctor("--json", *options, cwd=cwd)
    assert ran.returncode == code, ran.stderr
    (line,) = ran.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_what_is_only_installed_is_told_and_no_failure() -> None:
    found = answer()
    gaps = {gap["client"]: gap for gap in found["gaps"]}
    assert gaps["grpcio"]["id"] == "PW-PIN-NOT-COVERED"
    assert gaps["grpcio"]["severity"] == "medium"
    assert not gaps["grpcio"]["in_use"]
    assert gaps["grpcio"]["message"]
    assert gaps["grpcio"]["advice"]
    covered = {each["client"]: each for each in found["covered"]}
    assert covered["urllib3"]["how"] == "PoolManager(ssl_context=context)"
    assert covered["urllib3"]["proven"]
    assert found["self_test"] is None
    assert found["place"] == sys.prefix


def test_strict_fails_for_what_is_only_installed() -> None:
    assert answer("--strict", code=1)["gaps"]
    every = [gap["client"] for gap in answer()["gaps"]]
    assert answer("--strict", *(f"--ignore={each}" for each in every))["gaps"] == []


def test_a_client_that_is_misspelt_is_not_ignored() -> None:
    """It would be left in without a word; a known one that is not here is no mistake."""
    ran = doctor("--ignore", "grpc-io")
    assert ran.returncode == 2
    assert "--ignore 'grpc-io': no such client" in ran.stderr
    answer("--ignore", "gevent in ssl", "--ignore", "AIOQUIC")


def test_a_program_that_uses_a_gap_fails(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text('import grpc\nprint("the shop is open")\n')
    found = answer("--import", "shop", code=1, cwd=tmp_path)
    assert [gap["client"] for gap in found["gaps"] if gap["in_use"]] == ["grpcio"]
    assert not any(gap["in_use"] for gap in answer("--import", "json")["gaps"])
    answer("--import", "shop", "--ignore", "GRPCIO", cwd=tmp_path)
    text = doctor("--import", "shop", cwd=tmp_path)
    assert "grpcio" in text.stdout
    assert "(in use)" in text.stdout
    assert "the shop is open" in text.stderr


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("raise RuntimeError('no \\x1b[31m luck')", "RuntimeError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("(", "SyntaxError"),
    ],
)
def test_a_program_that_cannot_be_imported(tmp_path: Path, body: str, word: str) -> None:
    (tmp_path / "shop.py").write_text(body)
    ran = doctor("--import", "shop", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith(f"pinwarden: error: --import 'shop': {word}")
    assert "Traceback" not in ran.stderr
    assert "\x1b" not in ran.stderr


def test_another_environment_can_be_looked_at(tmp_path: Path) -> None:
    made = tmp_path / "site packages" / "pycurl-7.45.dist-info"
    made.mkdir(parents=True)
    made.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: pycurl\nVersion: 7.45\n")
    folder = str(made.parent)
    found = answer("--path", folder)
    assert [(gap["client"], gap["version"]) for gap in found["gaps"]] == [("pycurl", "7.45")]
    assert found["place"] == folder
    assert "urllib3" not in {each["client"] for each in found["covered"] if each["version"]}
    for more in (["--self-test"], ["--import", "json"]):
        assert doctor("--path", folder, *more).returncode == 2


def test_hostile_metadata_is_shown_safely(tmp_path: Path) -> None:
    made = tmp_path / "pycurl-1.dist-info"
    made.mkdir()
    made.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: pycurl\nVersion: 1\x1b[2J\n")
    ran = doctor("--path", str(tmp_path))
    assert ran.returncode == 0
    assert "pycurl" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_the_self_test_proves_every_client_that_is_here() -> None:
    found = answer("--self-test")
    assert {each["outcome"] for each in found["self_test"]} == {"enforced"}
    assert {each["leaked"] for each in found["self_test"]} == {0}
    tried = {each["client"] for each in found["self_test"]}
    assert {"http.client", "urllib3", "requests", "httpx", "aiohttp", "websockets"} <= tried
    text = doctor("--self-test").stdout
    assert f"self-test: {len(tried)} of {len(tried)} clients" in text
    assert "[self-test: enforced]" in text


def test_the_self_test_runs_in_the_program_as_it_is(tmp_path: Path) -> None:
    """A program that breaks verification, of which no list can know."""
    (tmp_path / "shop.py").write_text(
        "import http.client, ssl\n"
        "usual = http.client.HTTPSConnection.__init__\n"
        "def unpinned(self, *args, **options):\n"
        "    options['context'] = ssl._create_unverified_context()\n"
        "    usual(self, *args, **options)\n"
        "http.client.HTTPSConnection.__init__ = unpinned\n"
    )
    found = answer("--self-test", "--import", "shop", code=1, cwd=tmp_path)
    outcomes = {each["client"]: each for each in found["self_test"]}
    assert outcomes["http.client"]["outcome"] == "leaked"
    assert outcomes["http.client"]["leaked"] > 0
    assert outcomes["imaplib"]["outcome"] == "enforced"
