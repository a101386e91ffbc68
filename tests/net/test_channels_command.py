"""The command channel: real programs that take, refuse, hang, shout and leave things behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from pinwarden.config_channels import CommandConfig
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.net.channels import Channel, open_channel
from pinwarden.render import render_message
from pinwarden.watch.sighting import Alert
from support.alerts import digest, issuance, log_fork, unreadable


def _channel(program: str, *arguments: str, timeout: float = 20.0, env: str = "") -> Channel:
    command = (sys.executable, "-c", program, *arguments)
    return open_channel(CommandConfig(command=command, timeout=timeout, env=tuple(env.split())))


_DUMP = """
import json, os, sys
with open(sys.argv[1], "a") as out:
    print(json.dumps({"given": sys.stdin.read(), "env": dict(os.environ)}), file=out)
"""


async def _dumped(path: Path, *alerts: Alert, env: str = "") -> list[dict[str, dict[str, str]]]:
    await _channel(_DUMP, str(path), env=env).deliver(render_message(alerts))
    return _read_dump(path)


def _read_dump(path: Path) -> list[dict[str, dict[str, str]]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_alert_as_json_and_environment(tmp_path: Path) -> None:
    """The program finds the alert on standard input and in certspotter's variables."""
    alert = issuance(fingerprint=digest("certificate"))
    (dump,) = await _dumped(tmp_path / "dump", alert)
    assert json.loads(str(dump["given"])) == render_message([alert]).events[0]
    expected = {
        "EVENT": "discovered_cert",
        "SUMMARY": "certificate for example.com logged, verdict unknown",
        "WATCH_ITEM": "example.com",
        "LOG_URI": "https://oak.example/2026h2/",
        "ENTRY_INDEX": "123456789",
        "TBS_SHA256": digest("example.com").hex(),
        "CERT_SHA256": digest("certificate").hex(),
        "PUBKEY_SHA256": digest("key example.com").hex(),
        "SUBJECT_DN": "CN=example.com",
        "ISSUER_DN": "CN=R11,O=Example CA,C=US",
        "SERIAL": "0a1b2c",
        "NOT_BEFORE": "2026-11-01 00:02:03 UTC",
        "NOT_BEFORE_RFC3339": "2026-11-01T00:02:03Z",
        "NOT_BEFORE_UNIXTIME": "1793491323",
        "NOT_AFTER": "2027-01-30 00:02:03 UTC",
        "PINWARDEN_VERDICT": "unknown",
        "PINWARDEN_FINDING": "PW-CERT-SEEN",
        "PINWARDEN_SEVERITY": "medium",
        "PINWARDEN_KEY": alert.key,
        "PINWARDEN_AGAIN": "0",
        "PINWARDEN_VERIFIED": "1",
    }
    assert {name: dump["env"].get(name) for name in expected} == expected


async def test_each_alert_is_one_start(tmp_path: Path) -> None:
    """A message of several alerts starts the program for each, in order."""
    dumps = await _dumped(tmp_path / "dump", issuance(), unreadable(), log_fork())
    assert [dump["env"]["EVENT"] for dump in dumps] == [
        "discovered_cert",
        "malformed_cert",
        "error",
    ]
    assert dumps[1]["env"]["PARSE_ERROR"].startswith("subject alternative name")
    assert "TBS_SHA256" not in dumps[1]["env"]
    assert dumps[2]["env"]["PINWARDEN_MESSAGE"] == "two heads of size 1000 have different roots"


async def test_hostile_values_stay_values(tmp_path: Path) -> None:
    """A NUL, newline or escape sequence in a name neither stops the start nor gets through."""
    alert = issuance(
        matched=("a\0b\n() { :; }; echo\x1b[2J",), subject="\ud800" * 70_000, names=("x" * 300_000,)
    )
    (dump,) = await _dumped(tmp_path / "dump", alert)
    assert dump["env"]["WATCH_ITEM"] == "a\\x00b\\n() { :; }; echo\\x1b[2J"
    assert len(dump["env"]["SUBJECT_DN"]) < 50_000


async def test_secrets_of_the_environment_stay_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program inherits what a program needs and what was named, nothing else."""
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    monkeypatch.setenv("PAGER_KEY", "wanted")
    (dump,) = await _dumped(tmp_path / "dump", issuance(), env="PAGER_KEY")
    assert "SMTP_PASSWORD" not in dump["env"]
    assert dump["env"]["PAGER_KEY"] == "wanted"
    assert dump["env"]["PATH"] == os.environ["PATH"]


async def test_refusal_carries_the_reason() -> None:
    """Another exit code than 0 is a failure that quotes what the program said."""
    program = "import sys; print('no\\x1b[31m route', file=sys.stderr); sys.exit(3)"
    with pytest.raises(OutsideError, match=r"exit code 3: 'no\\x1b\[31m route'") as caught:
        await _channel(program).deliver(render_message([issuance()]))
    assert not caught.value.permanent


async def test_death_by_signal_is_a_failure() -> None:
    """A program that crashes has not taken the alert."""
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(OutsideError, match="killed by signal 9"):
        await _channel(program).deliver(render_message([issuance()]))


async def test_endless_output_is_drained_and_cut() -> None:
    """A program that says a great deal neither blocks nor fills the memory."""
    program = "import sys; sys.stdout.write('x' * 5_000_000); sys.exit(1)"
    with pytest.raises(OutsideError, match="exit code 1: 'xxx") as caught:
        await _channel(program).deliver(render_message([issuance()]))
    assert len(str(caught.value)) < 500


async def test_closed_standard_input_is_fine() -> None:
    """A program that does not want the JSON may close its standard input."""
    large = render_message([issuance(names=tuple(f"{n}.example" for n in range(9000)))])
    await _channel("import os; os.close(0)").deliver(large)


_HANG = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(sys.argv[1], "w") as out:
    out.write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""


def _gone(pid: int) -> bool:
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def _until_written(pids: Path) -> None:
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        time.sleep(0.02)


async def test_hanging_program_is_killed_with_its_children(tmp_path: Path) -> None:
    """After the time limit nothing the program started is left, though it ignores SIGTERM."""
    pids = tmp_path / "pids"
    with pytest.raises(OutsideError, match="still ran after 3 seconds, killed"):
        await _channel(_HANG, str(pids), timeout=3).deliver(render_message([issuance()]))
    assert [_gone(int(pid)) for pid in pids.read_text().split()] == [True, True]


async def test_cancelled_delivery_kills_the_program(tmp_path: Path) -> None:
    """When the outbox stops, the program it was waiting for stops too."""
    pids = tmp_path / "pids"
    task = asyncio.create_task(_channel(_HANG, str(pids)).deliver(render_message([issuance()])))
    await asyncio.to_thread(_until_written, pids)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [_gone(int(pid)) for pid in pids.read_text().split()] == [True, True]


async def test_background_child_does_not_hold_us_up(tmp_path: Path) -> None:
    """A hook that leaves something running is done when it ends itself."""
    program = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
"""
    pid = tmp_path / "pid"
    await _channel(program, str(pid)).deliver(render_message([issuance()]))
    child = int(pid.read_text())
    os.kill(child, 9)


async def test_no_shell() -> None:
    """Arguments reach the program as they are written."""
    await _channel(
        "import sys; sys.exit(sys.argv[1:] != ['$(exit 1)', '; false'])", "$(exit 1)", "; false"
    ).deliver(render_message([issuance()]))


def test_missing_program_is_a_configuration_error() -> None:
    """A program that is not there is heard of at the start, not with the first alert."""
    with pytest.raises(ConfigError, match="'/nonexistent/hook' is not there"):
        open_channel(CommandConfig(command=("/nonexistent/hook",)))


async def test_program_that_vanishes_is_an_error_of_ours(tmp_path: Path) -> None:
    """A program removed later is a failure to be retried."""
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o700)
    channel = open_channel(CommandConfig(command=(str(hook),)))
    hook.unlink()
    with pytest.raises(OutsideError, match="cannot be started: No such file"):
        await channel.deliver(render_message([issuance()]))
