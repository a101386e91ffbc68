"""The file channel: every alert on a line of its own, exactly once, whatever died when."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.config_channels import FileConfig
from pinwarden.errors import OutsideError
from pinwarden.net.channels import Channel, open_channel
from pinwarden.render import Message, render_message
from support.alerts import issuance, log_fork

_ALERTS = [issuance(f"{letter}.example", number) for number, letter in enumerate("abcd")]
_FIRST = render_message(_ALERTS[:2])
_BOTH = render_message(_ALERTS)


def _channel(path: Path) -> Channel:
    return open_channel(FileConfig(path=str(path)))


def _keys(path: Path) -> list[str]:
    text = path.read_bytes()
    assert text.endswith(b"\n")
    return [json.loads(line)["key"] for line in text.splitlines() if b'"alert"' in line]


async def test_appends_one_line_for_each_alert(tmp_path: Path) -> None:
    """Each alert is one JSON object on one line, in order, after what was there."""
    path = tmp_path / "alerts.jsonl"
    channel = _channel(path)
    await channel.deliver(_FIRST)
    await channel.deliver(render_message([log_fork()]))
    documents = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    assert documents == [*_FIRST.events, *render_message([log_fork()]).events]


async def test_never_twice(tmp_path: Path) -> None:
    """What the file already holds is not appended again, by this process or the next."""
    path = tmp_path / "alerts.jsonl"
    channel = _channel(path)
    await channel.deliver(_FIRST)
    await channel.deliver(_FIRST)
    await _channel(path).deliver(_BOTH)
    assert _keys(path) == [alert.key for alert in _ALERTS]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_torn_end_is_mended(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Wherever a death cut the last write, each alert is in the file once after the next."""
    path = tmp_path_factory.mktemp("torn") / "alerts.jsonl"
    asyncio.run(_channel(path).deliver(_FIRST))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    asyncio.run(_channel(path).deliver(_BOTH))
    assert _keys(path) == [alert.key for alert in _ALERTS]
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


async def test_foreign_text_is_left_alone(tmp_path: Path) -> None:
    """A file that somebody else writes to as well loses nothing of theirs."""
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b'a note\n{"type":"other"}\nhalf a line')
    await _channel(path).deliver(_FIRST)
    assert path.read_bytes().startswith(b'a note\n{"type":"other"}\nhalf a line\n{"type":"alert"')
    assert _keys(path) == [alert.key for alert in _ALERTS[:2]]


async def test_hostile_lines_do_not_stop_it(tmp_path: Path) -> None:
    """Lines that only look like alerts cost nothing but themselves."""
    path = tmp_path / "alerts.jsonl"
    lines = [b'{"type":"alert"', b'{"type":"alert","key":7}', b'{"type":"alert"' + b"[" * 100_000]
    path.write_bytes(b"\n".join(lines) + b"\n")
    await _channel(path).deliver(_FIRST)
    assert path.read_bytes().splitlines()[-1].startswith(b'{"type":"alert","version":1')


async def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Two writers that take turns neither repeat nor overwrite each other."""
    path = tmp_path / "alerts.jsonl"
    one, other = _channel(path), _channel(path)
    for alert in _ALERTS:
        await one.deliver(render_message([alert]))
        await other.deliver(render_message([alert]))
    assert _keys(path) == [alert.key for alert in _ALERTS]


async def test_rotated_file_is_begun_anew(tmp_path: Path) -> None:
    """After a log rotation took the file away, alerts go to a new one."""
    path = tmp_path / "alerts.jsonl"
    channel = _channel(path)
    await channel.deliver(_FIRST)
    path.rename(tmp_path / "alerts.jsonl.1")
    await channel.deliver(render_message(_ALERTS[2:]))
    assert _keys(path) == [alert.key for alert in _ALERTS[2:]]


async def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder, a pipe, a device or a missing folder is an error that says so, not a hang."""
    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "is not a regular file"),
        (Path("/dev/null"), "is not a regular file"),
        (tmp_path / "missing" / "alerts.jsonl", "No such file or directory"),
    ]:
        with pytest.raises(OutsideError, match=reason):
            await _channel(path).deliver(_FIRST)


_FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from support.alerts import issuance
from pinwarden.config_channels import FileConfig
from pinwarden.errors import OutsideError
from pinwarden.net.channels import open_channel
from pinwarden.render import render_message

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
channel = open_channel(FileConfig(path=str(path)))
asyncio.run(channel.deliver(render_message([issuance("a.example")])))
before = path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, resource.RLIM_INFINITY))
message = render_message([issuance("b.example")])
try:
    asyncio.run(channel.deliver(message))
except OutsideError as error:
    assert "File too large" in str(error), error
else:
    raise SystemExit("delivered")
assert path.read_bytes() == before
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
asyncio.run(channel.deliver(message))
assert path.read_bytes().count(b"\\n") == 2
"""


def test_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """When the system takes only part of a write, the file is as before and the retry works."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path / "alerts.jsonl")],
        check=True,
        env=environment,
        timeout=60,
    )


async def test_new_file_is_not_for_everybody(tmp_path: Path) -> None:
    """A file made by us is not readable by every user of the machine."""
    path = tmp_path / "alerts.jsonl"
    await _channel(path).deliver(_FIRST)
    assert path.stat().st_mode & 0o007 == 0


def test_message_of_nothing_changes_nothing(tmp_path: Path) -> None:
    """A message whose alerts are all in the file leaves its bytes alone."""
    path = tmp_path / "alerts.jsonl"
    empty = Message(key="", subject="", text="", markdown="", events=())
    asyncio.run(_channel(path).deliver(_FIRST))
    before = path.read_bytes()
    asyncio.run(_channel(path).deliver(empty))
    assert path.read_bytes() == before
