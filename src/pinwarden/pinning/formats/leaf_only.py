"""The pins that a program can keep that looks at the server's own key and no other."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Loss, LossKind
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinPolicy, PinRole

__all__ = ["leaf_only"]


def leaf_only(policy: PinPolicy) -> tuple[tuple[Pin, ...], list[Loss]]:
    """The leaf and backup pins, none if there is no leaf pin, and what is lost."""
    if not policy.pins(PinRole.LEAF):
        return (), []
    return tuple(sorted(policy.pins(PinRole.LEAF, PinRole.BACKUP))), list(_losses(policy))


def _losses(policy: PinPolicy) -> Iterator[Loss]:
    # A key may be pinned as both, since nobody knew its place: then it may be a CA's.
    if policy.pins(PinRole.CA):
        yield Loss(
            LossKind.CA_PINS,
            policy.host,
            "only the server's own key is looked at, and CA pins are left out",
        )
    if any(key.role is PinRole.BACKUP and key.kind in _ABOVE for key in policy.keys):
        yield Loss(
            LossKind.BACKUP_POSITION, policy.host, "backup pins of CA keys count for nothing here"
        )


_ABOVE = ("intermediate", "root")
