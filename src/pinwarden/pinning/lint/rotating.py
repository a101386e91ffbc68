"""Faults of a rotation that was begun and left standing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pinwarden import findings
from pinwarden.errors import MalformedError
from pinwarden.findings import Finding
from pinwarden.pinning.draft import DraftPolicy
from pinwarden.pinning.lint.setting import LintSetting, found
from pinwarden.pinning.policy import PinRole
from pinwarden.pinning.rotation.state import Rotation, Stage, parse_rotation
from pinwarden.pinning.served import pins_in

__all__ = ["lint_rotation"]

_WHERE = "rotation"
# A step that is not done within this time was forgotten.
_PATIENCE = timedelta(days=30)


def lint_rotation(policy: DraftPolicy, setting: LintSetting) -> Iterator[Finding]:
    """What is wrong with the rotation that a policy's table tells of."""
    if policy.rotation is None:
        return
    try:
        rotation = parse_rotation(policy.rotation)
    except MalformedError as error:
        yield found(findings.PIN_ROTATION_BROKEN, policy, str(error), _WHERE)
        return
    pinned = policy.pins(PinRole.LEAF, PinRole.CA, PinRole.BACKUP)
    named = [*(("old", pin) for pin in rotation.old), ("new", rotation.new)]
    for name, pin in named:
        if pin not in pinned:
            yield found(
                findings.PIN_ROTATION_BROKEN,
                policy,
                f"{pin}: the {name} pin of the rotation is not in the policy",
                _WHERE,
            )
    yield from _late(policy, rotation, setting)


def _late(policy: DraftPolicy, rotation: Rotation, setting: LintSetting) -> Iterator[Finding]:
    served = setting.served.get(policy.host, ())
    early = [each for each in served if rotation.new in pins_in(each.verified)]
    start = rotation.switch_from
    before_switch = rotation.stage in (Stage.PREPARED, Stage.PUBLISHED)
    if early and before_switch and (start is None or setting.today < start):
        until = f"until {start}" if start is not None else "since it was not published"
        yield found(
            findings.PIN_ROTATION_LATE,
            policy,
            f"the new key is served already, and clients may be without its pin {until}",
            _WHERE,
        )
        return
    due = {
        Stage.PREPARED: rotation.prepared,
        Stage.PUBLISHED: start,
        Stage.SWITCHING: rotation.switching,
        Stage.PROMOTED: rotation.promoted,
    }[rotation.stage]
    if due is not None and setting.today > due + _PATIENCE:
        yield found(
            findings.PIN_ROTATION_LATE,
            policy,
            f"it stands at {rotation.stage} since {due}, and its next step has not been done",
            _WHERE,
        )
