"""What a comparison of a verified chain with a pin set comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.names import display
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy

__all__ = ["PinResult", "PinVerdict", "Reason"]


class PinVerdict(StrEnum):
    """Whether a pin that is in force was found; `unknown` is never a pass."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """The one thing that decided."""

    PIN_MATCHED = "pin-matched"
    NO_PIN_MATCHED = "no-pin-matched"
    FORBIDDEN_KEY = "forbidden-key"
    EMPTY_CHAIN = "empty-chain"
    CHAIN_UNREADABLE = "chain-unreadable"
    EXPIRED = "expired"
    HOST_NOT_PINNED = "host-not-pinned"
    HOST_UNREADABLE = "host-unreadable"

    @property
    def words(self) -> str:
        """A sentence without its end, for people."""
        return _WORDS[self]


_WORDS = {
    Reason.PIN_MATCHED: "a pinned key is in the verified chain",
    Reason.NO_PIN_MATCHED: "no pinned key is in the verified chain",
    Reason.FORBIDDEN_KEY: "a forbidden key is in the verified chain",
    Reason.EMPTY_CHAIN: "there is no verified chain",
    Reason.CHAIN_UNREADABLE: "a certificate of the verified chain is not in DER",
    Reason.EXPIRED: "the policy has expired",
    Reason.HOST_NOT_PINNED: "no policy is about this host",
    Reason.HOST_UNREADABLE: "this is no host name or address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PinResult:
    """One comparison.

    `allowed` is whether the connection may go on; `seen` are the pins of the verified
    chain, leaf first, as far as it could be read; `chain` its certificates in DER.
    """

    host: str
    at: datetime
    verdict: PinVerdict
    reason: Reason
    allowed: bool
    policy: PinPolicy | None = None
    matched: tuple[PinnedKey, ...] = ()
    seen: tuple[Pin, ...] = ()
    chain: tuple[bytes, ...] = ()
    problem: str = ""

    @property
    def failed(self) -> bool:
        """Whether this is to be reported: a policy is in force, and it was not met."""
        return self.policy is not None and self.verdict is PinVerdict.MISMATCH

    @property
    def mode(self) -> Mode | None:
        """How the policy is in force at this time; None if none is."""
        if self.policy is None:
            return None
        if not self.policy.expired(self.at) or self.policy.on_expiry is OnExpiry.CLOSED:
            return self.policy.mode
        return Mode.REPORT_ONLY if self.policy.on_expiry is OnExpiry.REPORT_ONLY else None

    @property
    def expected(self) -> tuple[Pin, ...]:
        """The pins of which one should have been seen, in a stable order."""
        return () if self.policy is None else tuple(sorted(self.policy.pins()))

    def __str__(self) -> str:
        """One line: who, what, and what was seen and expected."""
        words = [f"{display(self.host)}: {self.reason.words}"]
        if self.problem:
            words.append(f"({self.problem})")
        if self.verdict is PinVerdict.MISMATCH:
            seen = ", ".join(map(str, self.seen)) or "nothing"
            words.append(f"(seen: {seen}; expected: {', '.join(map(str, self.expected))})")
        return " ".join(words)
