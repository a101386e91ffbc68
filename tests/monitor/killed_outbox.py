"""Delivers a store's alerts to a file in processes that are killed, until one gets through.

Run as a program: store URL, file, number for the random generator. Each process
kills itself at a call chosen at random in the outbox, the store or the file
channel, and prints how many were killed in the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from types import FrameType
from typing import Any

from pinwarden.config_channels import FileConfig
from pinwarden.monitor.outbox import Outbox
from pinwarden.net.channels import open_channel
from pinwarden.store.store import open_store

_WHERE = ("monitor/outbox.py", "channels/jsonl_file.py", "store/outbox.py", "store/store.py")


def _kill_at(call: int) -> None:
    left = call
    ours: dict[str, bool] = {}

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        name = frame.f_code.co_filename
        if name not in ours:
            ours[name] = name.endswith(_WHERE)
        if ours[name]:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)
    sys.setprofile(count)


async def _deliver(url: str, path: str) -> None:
    channel = open_channel(FileConfig(path=path, group=3))
    async with await open_store(url) as store:
        left = await Outbox(store, [channel]).flush()
        assert left.undelivered == ()


def main(url: str, path: str, seed: int) -> None:
    """Fork until a child ends by itself."""
    chance = random.Random(seed)
    killed = 0
    while True:
        call = chance.randint(1, 1200)
        child = os.fork()
        if child == 0:
            _kill_at(call)
            asyncio.run(_deliver(url, path))
            sys.setprofile(None)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status) != 0:
                raise SystemExit("a process failed")
            print(killed)
            return
        killed += 1


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
