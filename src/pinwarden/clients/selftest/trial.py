"""Runs the attempts, and says of each client whether its pins held."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.util import find_spec

from pinwarden.clients.context import PinnedContext
from pinwarden.clients.mismatch import find_mismatch
from pinwarden.clients.selftest.attempts import ATTEMPTS, Attempt
from pinwarden.clients.selftest.authority import HOST, Authority, new_authority
from pinwarden.clients.selftest.listener import Listener
from pinwarden.names import display
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy, PinRole
from pinwarden.pinning.spki import pin_of_certificate

__all__ = ["Outcome", "Trial", "attempt_trial", "self_test"]


class Outcome(StrEnum):
    """What a trial came to; only the first is good, and the last two are no proof."""

    ENFORCED = "enforced"
    LEAKED = "leaked"
    NOT_ENFORCED = "not-enforced"
    UNREADABLE = "other-error"
    NOT_WORKING = "not-working"
    NOT_HERE = "not-here"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one client: `leaked` is how many bytes it said to the rogue server."""

    client: str
    outcome: Outcome
    leaked: int = 0
    detail: str = ""


def self_test() -> Iterator[Trial]:
    """Try each client that is here against a genuine and a rogue server on loopback.

    Takes about a second; connects to 127.0.0.1 only, and sends no report anywhere.
    """
    genuine, rogue = new_authority("genuine"), new_authority("rogue")
    for attempt in ATTEMPTS:
        yield attempt_trial(attempt, genuine, rogue)


def attempt_trial(attempt: Attempt, genuine: Authority, rogue: Authority) -> Trial:
    """One client against a server of each authority."""
    if not all(_is_here(name) for name in attempt.needs):
        return Trial(attempt.client, Outcome.NOT_HERE)
    # Contexts of their own: nothing of the first connection may help the second.
    heard, error = _meet(attempt, genuine, _context(genuine, rogue))
    if not heard:
        return Trial(attempt.client, Outcome.NOT_WORKING, detail=_words(error))
    leaked, error = _meet(attempt, rogue, _context(genuine, rogue))
    if leaked:
        return Trial(attempt.client, Outcome.LEAKED, leaked)
    if error is None:
        return Trial(attempt.client, Outcome.NOT_ENFORCED)
    if find_mismatch(error) is None:
        return Trial(attempt.client, Outcome.UNREADABLE, detail=_words(error))
    return Trial(attempt.client, Outcome.ENFORCED)


def _meet(
    attempt: Attempt, authority: Authority, context: PinnedContext
) -> tuple[int, Exception | None]:
    """How much a server of this authority heard from the client, and what the client raised."""
    raised: Exception | None = None
    with Listener(
        authority.serving, greeting=attempt.greeting, plainly=attempt.plainly
    ) as listener:
        try:
            with _quiet():
                attempt.speak(context, listener.port)
        except Exception as error:
            raised = error
    return listener.heard, raised


def _context(genuine: Authority, rogue: Authority) -> PinnedContext:
    policy = PinPolicy(
        host=HOST,
        mode=Mode.ENFORCE,
        keys=(PinnedKey(pin_of_certificate(genuine.root), PinRole.CA),),
        allow_no_backup=True,
        expires=datetime.now(UTC).date() + timedelta(days=2),
        on_expiry=OnExpiry.CLOSED,
    )
    return PinnedContext(PinSet([policy]), cadata=genuine.root + rogue.root)


@contextmanager
def _quiet() -> Iterator[None]:
    """Refusals are what is looked for here: nobody has to read of them in the log."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _is_here(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _words(error: Exception | None) -> str:
    return "" if error is None else display(f"{type(error).__name__}: {error}")
