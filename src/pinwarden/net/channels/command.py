"""Alerts given to a program of the user's, one start for each alert, no shell.

The program gets the alert as JSON on standard input, and in environment
variables named as in certspotter's hooks, so that those hooks work. Exit code 0
means the alert was taken. A program that runs too long is killed with
everything it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from typing import Self

from pinwarden.config_channels import CommandConfig
from pinwarden.errors import ConfigError, OutsideError, quoted
from pinwarden.net.channels.environment import alert_environment
from pinwarden.render import Message, render_json_line

_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR")
_MOST_OUTPUT = 8 * 1024
_PORTION = 64 * 1024
_GRACE = 2.0


class _Output:
    """The beginning of what a program says; the rest is read and dropped.

    A pipe of our own: on one of asyncio's, waiting for the program could mean
    waiting for everything that it left running with the pipe in hand.
    """

    def __init__(self) -> None:
        self.said = bytearray()
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._reading)
        os.close(self._reading)
        if self.writing >= 0:
            os.close(self.writing)

    def begin(self) -> None:
        """Read from now on; the writing end is the program's alone."""
        os.close(self.writing)
        self.writing = -1
        self._loop.add_reader(self._reading, self._read)

    async def ended(self, patience: float) -> None:
        """Wait until nobody can write any more, but not long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._end.wait()

    def _read(self) -> None:
        try:
            part = os.read(self._reading, _PORTION)
        except BlockingIOError:
            return
        self.said.extend(part[: max(0, _MOST_OUTPUT - len(self.said))])
        if not part:
            self._loop.remove_reader(self._reading)
            self._end.set()


class CommandChannel:
    """Starts one program for one alert."""

    # Part of a group may fail after another part was taken; of one alert, none.
    group = 1

    def __init__(self, config: CommandConfig) -> None:
        self.name = config.name
        self.timeout = config.timeout
        self._command = config.command
        self._target = f"command {quoted(config.command[0])}"
        self._kept = (*_INHERITED, *config.env)
        if shutil.which(config.command[0]) is None:
            raise ConfigError(
                f"channel {quoted(config.name)}: program {quoted(config.command[0])} "
                "is not there or not executable"
            )

    async def deliver(self, message: Message) -> None:
        """Run the program once for each alert of the message."""
        for event in message.events:
            environment = {name: os.environ[name] for name in self._kept if name in os.environ}
            environment |= alert_environment(event)
            await self._run(environment, render_json_line(event).encode("ascii") + b"\n")

    async def _run(self, environment: dict[str, str], given: bytes) -> None:
        with _Output() as output:
            process = await self._start(environment, output)
            try:
                async with asyncio.timeout(self.timeout):
                    await _converse(process, given)
                    # What it left running in the background may write for ever.
                    await output.ended(_GRACE)
            except TimeoutError:
                raise self._failed(f"still ran after {self.timeout:g} seconds, killed") from None
            finally:
                if process.returncode is None:
                    await _kill(process)
        said = output.said.strip()
        if process.returncode != 0:
            how = f"exit code {process.returncode}"
            if process.returncode is not None and process.returncode < 0:
                how = f"killed by signal {-process.returncode}"
            raise self._failed(f"{how}: {quoted(bytes(said))}" if said else how)

    async def _start(
        self, environment: dict[str, str], output: _Output
    ) -> asyncio.subprocess.Process:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=output.writing,
                stderr=output.writing,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._failed(f"cannot be started: {reason}") from error
        output.begin()
        return process

    def _failed(self, reason: str) -> OutsideError:
        return OutsideError(f"{self._target}: {reason}", target=self._target)


async def _converse(process: asyncio.subprocess.Process, given: bytes) -> None:
    """Feed the program and wait for its end."""
    assert process.stdin is not None
    # A program that does not want the alert on its standard input may close it.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(given)
        await process.stdin.drain()
    process.stdin.close()
    await process.wait()


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End a program with all of its process group, politely first."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
        # Not asyncio.timeout: in a task that is being cancelled, before CPython
        # 3.11.3, it ends in CancelledError, and the second signal is never sent.
        ended = asyncio.ensure_future(process.wait())
        done, _ = await asyncio.wait({ended}, timeout=_GRACE)
        if done:
            return
        ended.cancel()
