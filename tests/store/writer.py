"""A process that follows one log into a store: `python -m store.writer URL SEED UNTIL`.

Every entry concerns a watched name; two neighbours are one issuance. After each
step the size that is now durable is printed. `send` as a fourth argument begins
all deliveries and waits to be killed.
"""

from __future__ import annotations

import asyncio
import random
import sys

from pinwarden.store.contract import StalePositionError, Step, Store
from pinwarden.store.store import open_store
from pinwarden.watch.sighting import Sighting
from store.values import ARGON, CHANNELS, NOW, certificate, position, sighting, verified


def entry(index: int) -> Sighting:
    """What stands at an index of the log followed."""
    make = certificate if index % 2 else sighting
    return make(f"issuance {index // 2}", index)


async def follow(store: Store, chance: random.Random, until: int) -> None:
    """Step along the log, also where another process steps along it."""
    while True:
        before = await store.load_position(ARGON)
        start = before.size if before else 0
        if start >= until:
            return
        size = min(until, start + chance.choice([1, 2, 7, 60, 250]))
        step = Step(
            position_before=before,
            position=verified(size) if chance.random() < 0.5 else position(size),
            sightings=tuple(entry(index) for index in range(start, size)),
            channels=CHANNELS,
            at=NOW,
        )
        try:
            await store.commit(step)
        except StalePositionError:
            continue
        print(size, flush=True)


async def send(store: Store) -> None:
    """Begin everything that is due and never finish."""
    for channel in CHANNELS:
        await store.begin([one.id for one in await store.due(channel, NOW, 1000)], NOW)
    print("sending", flush=True)
    await asyncio.sleep(600)


async def main(url: str, seed: str, until: str, *then: str) -> None:
    """Open, follow, perhaps send, close."""
    async with await open_store(url) as store:
        await follow(store, random.Random(seed), int(until))
        if then:
            await send(store)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
