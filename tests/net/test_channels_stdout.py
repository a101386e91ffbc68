"""The channel to standard output, as text and as JSON lines, also when nobody reads."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading

import pytest

from pinwarden.config_channels import StdoutConfig
from pinwarden.errors import OutsideError
from pinwarden.net.channels import open_channel
from pinwarden.render import render_message
from support.alerts import issuance, log_fork

_MESSAGE = render_message([issuance(issuer="O=Ça…"), log_fork()])


async def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads the message and a blank line."""
    await open_channel(StdoutConfig()).deliver(_MESSAGE)
    assert capsys.readouterr().out == _MESSAGE.text + "\n"


async def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads one documented object a line."""
    await open_channel(StdoutConfig(format="json")).deliver(_MESSAGE)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == list(_MESSAGE.events)


async def test_narrow_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that knows ASCII only gets escapes, not an error."""
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, "rb") as opened,
        os.fdopen(writing, "w", encoding="ascii") as narrow,
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stdout", narrow)
        await open_channel(StdoutConfig()).deliver(_MESSAGE)
        assert b"O=\\xc7a\\u2026" in opened.read1()


async def test_closed_pipe_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the reader went away, the alert is not delivered and the process lives."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as broken, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", broken)
        with pytest.raises(OutsideError, match="Broken pipe"):
            await open_channel(StdoutConfig()).deliver(_MESSAGE)


async def test_stalled_reader_blocks_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the pipe is full the event loop runs on, and no second message overtakes."""
    channel = open_channel(StdoutConfig())
    large = render_message([issuance(str(n) * 20, n, subject="x" * 300) for n in range(200)])
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as opened, os.fdopen(writing, "w") as full:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", full)
            stalled = asyncio.create_task(channel.deliver(large))
            await asyncio.sleep(0.1)
            assert not stalled.done()
            stalled.cancel()
            await asyncio.wait([stalled])
            with pytest.raises(OutsideError, match="still blocked by an earlier message"):
                await channel.deliver(_MESSAGE)
        read = await asyncio.to_thread(opened.read, len(large.text.encode()))
        assert read == large.text.encode()
        for thread in threading.enumerate():
            if thread.name == "standard output":
                thread.join()
