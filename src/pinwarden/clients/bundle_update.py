"""What a source of bundles answers, and what it was told to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.pinning.bundle_trust import Refusal

__all__ = ["BundleState", "Outcome", "Update", "WhenStale"]


class WhenStale(StrEnum):
    """What becomes of a bundle's pins when it has expired and no newer one came.

    CLOSED refuses the hosts that they are enforced for; KEEP goes on with them. There is
    no way to stop pinning: whoever can keep bundles away could then end it.
    """

    CLOSED = "closed"
    KEEP = "keep"


class Outcome(StrEnum):
    """What came of asking for a bundle."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class BundleState:
    """Which bundle is in force, with its times in UTC; all None while none is."""

    version: int | None
    issued: datetime | None
    expires: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Update:
    """What one `refresh` came to, and which bundle is in force after it.

    `problem` says why nothing was taken; `refusal` of what sort that is; `cache_problem`
    why the bundle may be forgotten when the program ends, and with it how far the versions
    had come.
    """

    outcome: Outcome
    state: BundleState
    problem: str = ""
    refusal: Refusal | None = None
    cache_problem: str = ""
