"""What a channel is, to the outbox and to each sender."""

from __future__ import annotations

from typing import Protocol

from pinwarden.errors import OutsideError
from pinwarden.render import Message


class PartlyDeliveredError(OutsideError):
    """Some receivers of a channel have the message and the others never will.

    The message counts as delivered, for sending it again would reach the same
    receivers twice; that somebody was left out is to be reported.
    """


class Channel(Protocol):
    """One receiver of alerts.

    `name` is unique among the channels; `group` is the largest number of alerts
    it takes in one message, `timeout` the seconds one message may take.
    """

    @property
    def name(self) -> str:
        """The name deliveries are owed by."""
        ...

    @property
    def group(self) -> int:
        """The most alerts in one message."""
        ...

    @property
    def timeout(self) -> float:
        """The most seconds one message may take."""
        ...

    async def deliver(self, message: Message) -> None:
        """Hand over one message, whole; returning means the receiver has it.

        Raises OutsideError if it may not have: `permanent` if this message will
        never be taken, `retry_after` if the receiver said when to come back.
        """
        ...
