"""Changes to the pins of one policy, and what the policy is after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinnedKey, PinPolicy, PinRole

__all__ = ["Edit", "NewKey", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be pinned, with what is noted beside its pin."""

    pin: Pin
    kind: str = ""
    comment: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One pin that comes (no `source`), goes (no `target`) or changes its role."""

    key: NewKey
    source: PinRole | None = None
    target: PinRole | None = None


def after(policy: PinPolicy, edits: Sequence[Edit]) -> PinPolicy:
    """The policy with the edits made in their order.

    Raises `PinSetError` if it would then contradict itself, or be left without a backup.
    """
    keys = list(policy.keys)
    for edit in edits:
        if edit.source is None and edit.target is not None:
            keys.append(
                PinnedKey(
                    edit.key.pin,
                    edit.target,
                    kind=edit.key.kind,
                    comment=edit.key.comment,
                    expires=edit.key.expires,
                )
            )
            continue
        mine = [k for k in keys if k.pin == edit.key.pin and k.role is edit.source]
        keys = [k for k in keys if k not in mine]
        if edit.target is not None:
            keys += [replace(key, role=edit.target) for key in mine[:1]]
    return replace(policy, keys=tuple(keys))
