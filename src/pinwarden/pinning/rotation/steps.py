"""The steps of a rotation, each of which is refused if it could lock a client out.

A client holds the set as it was at some time in the last `client_lag` days. All that is
done here keeps this true: every key that a server may show is in every such set.

    prepare   the new pin, and a backup beside it, come into the set
    publish   that set is being given to clients
    switch    no client has an older one: servers may show the new key
    promote   every address shows the new key: its pin is no backup any longer
    retire    no address needs the old keys: their pins go
    abort     back to the old key, as long as it has not been retired
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from pinwarden.errors import VerificationError
from pinwarden.names import display
from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, PinPolicy, PinRole, PinSetError
from pinwarden.pinning.result import PinVerdict, Reason
from pinwarden.pinning.rotation.edits import Edit, NewKey, after
from pinwarden.pinning.rotation.state import NewWas, Rotation, Stage
from pinwarden.pinning.served import ServedChain, pins_in
from pinwarden.pinning.spki import pin_of_certificate

__all__ = [
    "Change",
    "NotSeenError",
    "RefusedError",
    "Step",
    "abort",
    "prepare",
    "promote",
    "publish",
    "retire",
    "switch",
]

_BACKUP_HINT = "`pinwarden pin backup` makes one; name its pin or file with --backup"


class Step(StrEnum):
    """What can be done; in this order, but for the last."""

    PREPARE = "prepare"
    PUBLISH = "publish"
    SWITCH = "switch"
    PROMOTE = "promote"
    RETIRE = "retire"
    ABORT = "abort"


class RefusedError(VerificationError):
    """A step that would lock clients out, or that is not the next one."""


class NotSeenError(RefusedError):
    """A step that may be safe, of which what the host serves does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a step does to the set: the edits, the policy after them, and the new state.

    `rotation` is None when the rotation is over.
    """

    edits: tuple[Edit, ...]
    policy: PinPolicy
    rotation: Rotation | None


def _active_role(policy: PinPolicy, pin: Pin) -> PinRole | None:
    """Whether a pin is in use as a leaf's or a CA's."""
    for role in (PinRole.LEAF, PinRole.CA):
        if pin in policy.pins(role):
            return role
    return None


def prepare(
    policy: PinPolicy,
    old: Sequence[Pin],
    new: NewKey,
    backups: Sequence[NewKey],
    *,
    client_lag: int,
    today: date,
) -> Change:
    """Bring the new pin into the set, with other backups if it was the only one.

    Raises `RefusedError` if a pin is not what it is to be, or no backup is left.
    """
    for pin in old:
        if _active_role(policy, pin) is None:
            raise RefusedError(f"{pin}: is not a leaf or CA pin of this policy")
        if new.pin == pin:
            raise RefusedError(f"{pin}: is the old pin and the new one")
    if new.pin in policy.pins(PinRole.FORBIDDEN):
        raise RefusedError(f"{new.pin}: is forbidden by this policy")
    was = _was(policy, new.pin)
    edits = [Edit(key=new, target=PinRole.BACKUP)] if was is NewWas.UNKNOWN else []
    for backup in backups:
        if backup.pin in (*old, new.pin) or _active_role(policy, backup.pin):
            raise RefusedError(f"{backup.pin}: is in use, so it is no backup")
        if backup.pin not in policy.pins(PinRole.BACKUP):
            edits.append(Edit(key=backup, target=PinRole.BACKUP))
    changed = _after(policy, edits)
    needed = policy.mode is Mode.ENFORCE and not policy.allow_no_backup
    if needed and not changed.pins(PinRole.BACKUP) - {new.pin}:
        raise RefusedError(
            f"{new.pin}: is the last backup, and once it is served there would be none",
            hint=_BACKUP_HINT,
        )
    rotation = Rotation(
        stage=Stage.PREPARED,
        old=tuple(old),
        new=new.pin,
        client_lag=client_lag,
        new_was=was,
        prepared=today,
    )
    return Change(edits=tuple(edits), policy=changed, rotation=rotation)


def publish(policy: PinPolicy, rotation: Rotation, *, published: date, today: date) -> Change:
    """Note the day on which clients began to be given the set with the new pin."""
    _expect(rotation, Stage.PREPARED, Step.PUBLISH)
    if published > today:
        raise RefusedError(f"{published}: is not over yet; say so when the set is published")
    if rotation.new_was is NewWas.UNKNOWN and published < rotation.prepared:
        raise RefusedError(
            f"{published}: the new pin came into the set on {rotation.prepared} only"
        )
    _refuse_without_new(policy, rotation)
    state = replace(rotation, stage=Stage.PUBLISHED, published=published)
    return Change(edits=(), policy=policy, rotation=state)


def switch(policy: PinPolicy, rotation: Rotation, *, today: date) -> Change:
    """Allow servers to show the new key; refused while a client may not know its pin."""
    _expect(rotation, Stage.PUBLISHED, Step.SWITCH)
    _refuse_without_new(policy, rotation)
    start = rotation.switch_from
    assert start is not None
    if today < start:
        raise RefusedError(
            f"clients may be without the new pin until {start}: it was published on "
            f"{rotation.published}, and they lag by up to {rotation.client_lag} days",
            hint=f"leave the old key in place and come back on {start}",
        )
    state = replace(rotation, stage=Stage.SWITCHING, switching=today)
    return Change(edits=(), policy=policy, rotation=state)


def promote(
    policy: PinPolicy, rotation: Rotation, served: Sequence[ServedChain], *, at: datetime
) -> Change:
    """Make the new pin one in use, by its place in the chains that every address shows."""
    _expect(rotation, Stage.SWITCHING, Step.PROMOTE)
    _refuse_without_new(policy, rotation)
    places = set()
    for each in _all_seen(served):
        if rotation.new not in pins_in(each.verified):
            raise RefusedError(
                f"{_at(each)}: does not serve the new key {rotation.new} yet",
                hint="change the server first, at every address",
            )
        is_leaf = pin_of_certificate(each.verified[0]) == rotation.new
        places.add(PinRole.LEAF if is_leaf else PinRole.CA)
    if len(places) > 1:
        raise RefusedError(f"{rotation.new}: is a leaf's key at one address and a CA's at another")
    key = NewKey(pin=rotation.new)
    edits: tuple[Edit, ...] = ()
    if rotation.new in policy.pins(PinRole.BACKUP):
        edits = (Edit(key=key, source=PinRole.BACKUP, target=places.pop()),)
    changed = _after(policy, edits)
    _refuse_mismatch(changed, served, at)
    state = replace(rotation, stage=Stage.PROMOTED, promoted=at.date())
    return Change(edits=edits, policy=changed, rotation=state)


def retire(
    policy: PinPolicy,
    rotation: Rotation,
    served: Sequence[ServedChain],
    *,
    at: datetime,
    forbid: bool = False,
) -> Change:
    """Take the old pins out, or with `forbid` (a stolen key) make it one that must not be seen."""
    _expect(rotation, Stage.PROMOTED, Step.RETIRE)
    _refuse_without_new(policy, rotation)
    target = PinRole.FORBIDDEN if forbid else None
    edits = tuple(
        Edit(key=NewKey(pin=pin), source=_active_role(policy, pin), target=target)
        for pin in rotation.old
    )
    changed = _after(policy, edits)
    _refuse_mismatch(changed, served, at, "still serves the old key alone", *rotation.old)
    return Change(edits=edits, policy=changed, rotation=None)


def abort(
    policy: PinPolicy, rotation: Rotation, served: Sequence[ServedChain], *, at: datetime
) -> Change:
    """End the rotation with the old key in place; refused while the new one is shown alone."""
    edits: tuple[Edit, ...] = ()
    source = _active_role(policy, rotation.new)
    if rotation.new_was is NewWas.UNKNOWN and rotation.new in policy.pins():
        edits = (Edit(key=NewKey(pin=rotation.new), source=source or PinRole.BACKUP),)
    elif rotation.new_was is NewWas.BACKUP and source is not None:
        edits = (Edit(key=NewKey(pin=rotation.new), source=source, target=PinRole.BACKUP),)
    changed = _after(policy, edits)
    _refuse_mismatch(changed, served, at, "serves the new key alone", rotation.new)
    return Change(edits=edits, policy=changed, rotation=None)


def _was(policy: PinPolicy, pin: Pin) -> NewWas:
    if pin in policy.pins(PinRole.BACKUP):
        return NewWas.BACKUP
    return NewWas.IN_USE if _active_role(policy, pin) else NewWas.UNKNOWN


def _expect(rotation: Rotation, stage: Stage, step: Step) -> None:
    if rotation.stage is not stage:
        raise RefusedError(
            f"{step} comes only once the rotation is {stage}, and it is {rotation.stage}",
            hint="`pinwarden pin rotate` without --do shows the next step",
        )


def _refuse_without_new(policy: PinPolicy, rotation: Rotation) -> None:
    """The file may have been edited by hand since."""
    for pin in rotation.old:
        if _active_role(policy, pin) is None:
            raise RefusedError(f"{pin}: the old pin is not in the policy any longer")
    if rotation.new not in policy.pins():
        raise RefusedError(f"{rotation.new}: the new pin is not in the policy any longer")


def _all_seen(served: Sequence[ServedChain]) -> Sequence[ServedChain]:
    if not served:
        raise NotSeenError("what the host serves is not known")
    for each in served:
        if not each.verified:
            why = display(each.problem, 300) or "no verified chain"
            raise NotSeenError(f"{_at(each)}: {why}")
    return served


def _refuse_mismatch(
    policy: PinPolicy,
    served: Sequence[ServedChain],
    at: datetime,
    words: str = "",
    *pins: Pin,
) -> None:
    """The one rule that no step may break, asked of the evaluation that clients run.

    `words` say it shorter where the chain holds one of `pins`.
    """
    for each in _all_seen(served):
        result = compare(policy, each.verified, policy.host, at=at)
        if result.verdict is PinVerdict.MATCH:
            continue
        seen = [pin for pin in pins if pin in result.seen]
        if seen and result.reason is not Reason.EXPIRED:
            raise RefusedError(
                f"{_at(each)}: {words}: {seen[0]}",
                hint="without that pin its clients are locked out",
            )
        raise RefusedError(f"{_at(each)}: clients with the changed set would refuse it: {result}")


def _after(policy: PinPolicy, edits: Sequence[Edit]) -> PinPolicy:
    try:
        return after(policy, edits)
    except PinSetError as error:
        raise RefusedError(str(error), hint=error.hint) from None


def _at(served: ServedChain) -> str:
    return display(served.address, 100)
