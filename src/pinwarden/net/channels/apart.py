"""Blocking work done apart from the event loop, without holding up its end.

A pipe nobody reads, a dead network file system or a slow service may block a
thread for ever. Such a thread must neither stop the other channels nor, as the
threads of an executor would, keep the process from exiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from pinwarden.errors import OutsideError

T = TypeVar("T")


class Apart:
    """Runs one blocking call at a time for one channel."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._busy = False

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, or what it raised.

        Raises OutsideError while an earlier call, given up by its caller, still
        runs: what it was doing may yet happen, and must not happen twice.
        """
        if self._busy:
            raise OutsideError(
                f"{self._target} is still blocked by an earlier message", target=self._target
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(outcome: T | None, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(outcome)  # type: ignore[arg-type]  # None only where T is

        def body() -> None:
            outcome: T | None = None
            failure: BaseException | None = None
            try:
                outcome = work()
            except BaseException as error:
                failure = error
            self._busy = False
            # The loop is closed if the process stopped waiting for us.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, outcome, failure)

        self._busy = True
        try:
            threading.Thread(target=body, name=self._target, daemon=True).start()
        except RuntimeError as error:
            self._busy = False
            raise OutsideError(f"{self._target}: no thread left", target=self._target) from error
        return await answer
