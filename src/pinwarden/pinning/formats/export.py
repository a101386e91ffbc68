"""What an export is: files, and the losses on the way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pinwarden.pinning.pin import Pin

__all__ = ["Export", "Harm", "Loss", "LossKind", "Writing"]


class Harm(StrEnum):
    """What a loss does to whoever uses the export instead of the set."""

    NONE = "none"
    WEAKENS = "weakens"
    LOCKS_OUT = "locks-out"


class LossKind(StrEnum):
    """What a form cannot say; the values are stable, people accept losses by them."""

    REPORTS = "reports-not-sent"
    REPORT_ONLY = "report-only-left-out"
    REPORT_ONLY_ENFORCED = "report-only-enforced"
    NEVER_CLOSES = "expiry-never-closes"
    KEEPS_PINNING = "expiry-keeps-pinning"
    EXPIRY_ROUNDED = "expiry-in-local-time"
    EXPIRY_MOVES = "expiry-moves-with-visits"
    ROLES = "position-not-checked"
    LEAF_PINS = "leaf-pins-left-out"
    CA_PINS = "ca-pins-left-out"
    BACKUP_PINS = "backup-pins-left-out"
    BACKUP_POSITION = "backup-for-leaf-only"
    FORBIDDEN = "forbidden-keys-left-out"
    EXCLUDE = "exclusions-left-out"
    EXCLUDE_SHALLOW = "exclusions-of-one-name"
    SUBDOMAINS = "subdomains-left-out"
    SUBDOMAINS_ONE_LABEL = "subdomains-of-one-label"
    SUBDOMAINS_BY_HAND = "subdomains-by-hand"
    POOLED = "policies-pooled"
    ORDER = "policies-by-visits"
    ADDRESSES = "addresses-left-out"
    UNPINNED = "unpinned-hosts-allowed"
    BOTH_NEEDED = "leaf-and-ca-needed"
    TOO_FEW_PINS = "too-few-pins"
    HOST_NAME = "host-name-refused"
    KEY_TYPE = "key-type-unknown"
    CERTIFICATES = "certificates-not-keys"
    PARTIAL_CHAIN = "needs-partial-chains"
    REDIRECTS = "other-hosts-not-checked"
    PROXIES = "proxies-refused"
    NOT_ENFORCED = "nothing-enforces-it"


_WEAKENS = frozenset(
    (
        LossKind.REPORT_ONLY,
        LossKind.NEVER_CLOSES,
        LossKind.EXPIRY_MOVES,
        LossKind.FORBIDDEN,
        LossKind.SUBDOMAINS,
        LossKind.SUBDOMAINS_ONE_LABEL,
        LossKind.POOLED,
        LossKind.ADDRESSES,
        LossKind.UNPINNED,
        LossKind.NOT_ENFORCED,
    )
)
_LOCKS_OUT = frozenset(
    (
        LossKind.REPORT_ONLY_ENFORCED,
        LossKind.ORDER,
        LossKind.KEEPS_PINNING,
        LossKind.LEAF_PINS,
        LossKind.CA_PINS,
        LossKind.BACKUP_PINS,
        LossKind.BACKUP_POSITION,
        LossKind.EXCLUDE,
        LossKind.EXCLUDE_SHALLOW,
        LossKind.BOTH_NEEDED,
        LossKind.TOO_FEW_PINS,
        LossKind.HOST_NAME,
        LossKind.KEY_TYPE,
        LossKind.PARTIAL_CHAIN,
        LossKind.PROXIES,
    )
)


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the export does not say; `host` is empty if it concerns the whole set."""

    kind: LossKind
    host: str
    message: str

    @property
    def harm(self) -> Harm:
        """What it does; only a loss that does nothing may pass without a word of consent."""
        if self.kind in _WEAKENS:
            return Harm.WEAKENS
        return Harm.LOCKS_OUT if self.kind in _LOCKS_OUT else Harm.NONE

    def __str__(self) -> str:
        return f"{self.host}: {self.message}" if self.host else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What writers know besides the set.

    `at` is now; `certificates` are those whose keys are pinned, in DER, for forms that
    take certificates and no pins; `package` is the namespace of generated code.
    """

    at: datetime
    certificates: Mapping[Pin, tuple[bytes, ...]] = field(default_factory=dict)
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A pin set in another form: texts by file name, and what was lost."""

    files: tuple[tuple[str, str], ...]
    losses: tuple[Loss, ...] = ()

    def unaccepted(self, accepted: Collection[str] = ()) -> tuple[Loss, ...]:
        """The losses that weaken or could lock out, and that nobody has accepted by kind."""
        return tuple(
            loss for loss in self.losses if loss.harm is not Harm.NONE and loss.kind not in accepted
        )
