"""The pin sets that a program with bundles works with: one that grows stale, and none yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pinwarden.pinning.bundle import Bundle
from pinwarden.pinning.moments import to_moment
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, UnpinnedHosts
from pinwarden.pinning.result import PinResult, PinVerdict, Reason

__all__ = ["ClosingPins", "NoPinsYet"]


class ClosingPins(PinSet):
    """The pins of a bundle, which refuse the hosts that they are enforced for once it is stale.

    Whoever keeps newer bundles from a client could otherwise have it go on believing a key
    that was withdrawn for as long as he likes.
    """

    __slots__ = ("bundle",)

    def __init__(self, bundle: Bundle) -> None:
        pins = bundle.pins
        super().__init__(
            pins.policies,
            unpinned_hosts=pins.unpinned_hosts,
            comment=pins.comment,
            owner=pins.owner,
        )
        self.bundle = bundle

    def check(self, chain: Sequence[bytes], host: str, *, at: datetime) -> PinResult:
        """As `PinSet.check`; after the bundle's end nothing matches."""
        result = super().check(chain, host, at=at)
        if not self.bundle.expired(at) or result.mode is not Mode.ENFORCE:
            return result
        return replace(
            result,
            verdict=PinVerdict.MISMATCH,
            reason=Reason.EXPIRED,
            allowed=False,
            matched=(),
            problem=f"no newer bundle came than version {self.bundle.version}, which was good "
            f"until {to_moment(self.bundle.expires)}",
        )

    def ends(self, result: PinResult) -> datetime | None:
        """As `PinSet.ends`, or when the bundle ends, if that is before."""
        ends = super().ends(result)
        if result.mode is not Mode.ENFORCE:
            return ends
        return self.bundle.expires if ends is None else min(ends, self.bundle.expires)


class NoPinsYet(PinSet):
    """What is in force until the first bundle came: nothing is known, so nothing is allowed."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(unpinned_hosts=UnpinnedHosts.REFUSE)

    def check(self, chain: Sequence[bytes], host: str, *, at: datetime) -> PinResult:
        """Refuses every host."""
        result = super().check(chain, host, at=at)
        return replace(result, problem="no bundle of pins came yet")
