"""Each step, and each reason to refuse it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinRole
from pinwarden.pinning.rotation import steps
from pinwarden.pinning.rotation.edits import NewKey
from pinwarden.pinning.rotation.state import NewWas, Rotation, Stage
from pinwarden.pinning.rotation.steps import Change, NotSeenError, RefusedError
from pinwarden.pinning.served import ServedChain
from support.pin_rotation import authority, policy_of, served

TODAY = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
A, B, C, D = (authority(number).leaf for number in range(4))


def prepared(new: int = 1, backups: tuple[int, ...] = (2,), **policy: Any) -> Change:
    return steps.prepare(
        policy_of((A,), (B,), **policy),
        [A],
        NewKey(pin=authority(new).leaf),
        [NewKey(pin=authority(each).leaf) for each in backups],
        client_lag=30,
        today=TODAY,
    )


def at_stage(stage: Stage, new: int = 1) -> Change:
    """The rotation from A to another key, as far as this stage."""
    change = prepared(new)
    assert change.rotation is not None
    if stage is Stage.PREPARED:
        return change
    change = steps.publish(change.policy, change.rotation, published=TODAY, today=TODAY)
    assert change.rotation is not None
    if stage is Stage.PUBLISHED:
        return change
    later = TODAY + timedelta(days=31)
    change = steps.switch(change.policy, change.rotation, today=later)
    assert change.rotation is not None
    if stage is Stage.SWITCHING:
        return change
    return steps.promote(change.policy, change.rotation, served(new, new), at=AT)


def rotation_of(change: Change) -> Rotation:
    assert change.rotation is not None
    return change.rotation


def test_from_a_backup_to_the_end() -> None:
    change = at_stage(Stage.PROMOTED)
    assert change.policy.pins(PinRole.LEAF) == {A, B}
    assert change.policy.pins(PinRole.BACKUP) == {C}
    end = steps.retire(change.policy, rotation_of(change), served(1, 1), at=AT)
    assert end.rotation is None
    assert end.policy.pins(PinRole.LEAF) == {B}
    assert end.policy.pins(PinRole.BACKUP) == {C}


def test_a_stolen_key_is_forbidden() -> None:
    change = at_stage(Stage.PROMOTED)
    end = steps.retire(change.policy, rotation_of(change), served(1), at=AT, forbid=True)
    assert end.policy.pins(PinRole.FORBIDDEN) == {A}


def test_a_new_key_comes_in_as_a_backup() -> None:
    """Its pin counts from the first day on, and in whichever place it is served."""
    change = prepared(new=3)
    assert rotation_of(change).new_was is NewWas.UNKNOWN
    assert change.policy.pins(PinRole.BACKUP) == {B, C, D}
    assert change.policy.pins(PinRole.LEAF) == {A}


def test_from_a_leaf_to_its_own_ca() -> None:
    """Nothing changes at the server, and still no step may come too early."""
    new = authority(0).intermediate
    change = steps.prepare(
        policy_of((A,), (B,)), [A], NewKey(pin=new), [], client_lag=0, today=TODAY
    )
    change = steps.publish(change.policy, rotation_of(change), published=TODAY, today=TODAY)
    with pytest.raises(RefusedError, match="until 2026-11-25"):
        steps.switch(change.policy, rotation_of(change), today=TODAY)
    change = steps.switch(change.policy, rotation_of(change), today=TODAY + timedelta(days=1))
    change = steps.promote(change.policy, rotation_of(change), served(0), at=AT)
    assert change.policy.pins(PinRole.CA) == {new}
    end = steps.retire(change.policy, rotation_of(change), served(0), at=AT)
    assert end.policy.pins(PinRole.LEAF) == frozenset()


def test_a_whole_ca_is_left() -> None:
    """Root and intermediate of one CA go together, when the other one is served."""
    first, second = authority(0), authority(1)
    old = (first.intermediate, first.root)
    policy = policy_of(old, (second.root, C), role=PinRole.CA)
    change = steps.prepare(policy, old, NewKey(pin=second.root), [], client_lag=0, today=TODAY)
    change = steps.publish(change.policy, rotation_of(change), published=TODAY, today=TODAY)
    later = TODAY + timedelta(days=1)
    change = steps.switch(change.policy, rotation_of(change), today=later)
    change = steps.promote(change.policy, rotation_of(change), served(1), at=AT)
    with pytest.raises(RefusedError, match="still serves the old key alone"):
        steps.retire(change.policy, rotation_of(change), served(1, 0), at=AT)
    end = steps.retire(change.policy, rotation_of(change), served(1), at=AT)
    assert end.policy.pins(PinRole.CA) == {second.root}


@pytest.mark.parametrize(
    ("old", "new", "backups", "words"),
    [
        (A, B, [], "is the last backup"),
        (A, A, [C], "is the old pin and the new one"),
        (B, A, [C], "is not a leaf or CA pin"),
        (D, B, [C], "is not a leaf or CA pin"),
        (A, B, [A], "is in use"),
        (A, B, [B], "is in use"),
        (A, authority(5).leaf, [C], "is forbidden"),
        (A, B, [authority(5).leaf], "is pinned and forbidden"),
    ],
)
def test_preparing_what_cannot_be(old: Any, new: Any, backups: Any, words: str) -> None:
    policy = policy_of((A,), (B,))
    forbidden = PinnedKey(authority(5).leaf, PinRole.FORBIDDEN)
    policy = replace(policy, keys=(*policy.keys, forbidden))
    with pytest.raises(RefusedError, match=words):
        steps.prepare(
            policy,
            [old],
            NewKey(pin=new),
            [NewKey(pin=each) for each in backups],
            client_lag=30,
            today=TODAY,
        )


@pytest.mark.parametrize("free", [{"mode": Mode.REPORT_ONLY}, {"allow_no_backup": True}])
def test_where_no_backup_is_needed(free: dict[str, Any]) -> None:
    """What only reports locks nobody out; and who has forced it by name has forced it."""
    assert prepared(backups=(), **free).policy.pins(PinRole.BACKUP) == {B}


def test_publishing() -> None:
    unknown, known = prepared(new=3), prepared()
    with pytest.raises(RefusedError, match="not over yet"):
        steps.publish(
            known.policy, rotation_of(known), published=TODAY + timedelta(days=1), today=TODAY
        )
    early = TODAY - timedelta(days=1)
    with pytest.raises(RefusedError, match="came into the set on 2026-11-24 only"):
        steps.publish(unknown.policy, rotation_of(unknown), published=early, today=TODAY)
    # A backup may have been known to clients for years.
    change = steps.publish(known.policy, rotation_of(known), published=early, today=TODAY)
    assert rotation_of(change).published == early


def test_switching_waits_for_the_slowest_client() -> None:
    change = at_stage(Stage.PUBLISHED)
    for day in (0, 1, 30):
        with pytest.raises(RefusedError, match="until 2026-12-25") as raised:
            steps.switch(change.policy, rotation_of(change), today=TODAY + timedelta(days=day))
        assert "2026-12-25" in (raised.value.hint or "")
    switched = steps.switch(change.policy, rotation_of(change), today=TODAY + timedelta(days=31))
    assert rotation_of(switched).stage is Stage.SWITCHING


@pytest.mark.parametrize("seen", [(0,), (1, 0), (0, 1)])
def test_promoting_needs_every_address(seen: tuple[int, ...]) -> None:
    change = at_stage(Stage.SWITCHING)
    with pytest.raises(RefusedError, match="does not serve the new key"):
        steps.promote(change.policy, rotation_of(change), served(*seen), at=AT)


@pytest.mark.parametrize("seen", [(0,), (1, 0), (0, 1)])
def test_retiring_what_is_served(seen: tuple[int, ...]) -> None:
    change = at_stage(Stage.PROMOTED)
    with pytest.raises(RefusedError, match="still serves the old key alone"):
        steps.retire(change.policy, rotation_of(change), served(*seen), at=AT)


def test_retiring_while_a_third_key_is_served() -> None:
    change = at_stage(Stage.PROMOTED)
    with pytest.raises(RefusedError, match="would refuse it"):
        steps.retire(change.policy, rotation_of(change), served(1, 4), at=AT)


UNSEEN = ServedChain(address="192.0.2.9", verified=(), problem="is away")


@pytest.mark.parametrize("seen", [(), (UNSEEN,), (*served(1), UNSEEN)])
def test_what_is_not_seen_is_no_pass(seen: tuple[ServedChain, ...]) -> None:
    switching, promoted = at_stage(Stage.SWITCHING), at_stage(Stage.PROMOTED)
    with pytest.raises(NotSeenError):
        steps.promote(switching.policy, rotation_of(switching), seen, at=AT)
    with pytest.raises(NotSeenError):
        steps.retire(promoted.policy, rotation_of(promoted), seen, at=AT)
    with pytest.raises(NotSeenError):
        steps.abort(promoted.policy, rotation_of(promoted), seen, at=AT)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(("new", "kept"), [(1, True), (3, False)])
def test_aborting(stage: Stage, new: int, kept: bool) -> None:
    """The new pin is again what it was before: a backup, or not there."""
    change = at_stage(stage, new)
    back = steps.abort(change.policy, rotation_of(change), served(0), at=AT)
    assert back.rotation is None
    assert back.policy.pins(PinRole.LEAF) == {A}
    assert (authority(new).leaf in back.policy.pins(PinRole.BACKUP)) is kept
    if not kept:
        with pytest.raises(RefusedError, match="serves the new key alone"):
            steps.abort(change.policy, rotation_of(change), served(0, new), at=AT)


def test_steps_in_another_order() -> None:
    change = at_stage(Stage.PREPARED)
    rotation = rotation_of(change)
    for step in (
        lambda: steps.switch(change.policy, rotation, today=TODAY),
        lambda: steps.promote(change.policy, rotation, served(1), at=AT),
        lambda: steps.retire(change.policy, rotation, served(1), at=AT),
    ):
        with pytest.raises(RefusedError, match="comes only once the rotation is"):
            step()


def test_a_file_that_was_edited_meanwhile() -> None:
    change = at_stage(Stage.PUBLISHED)
    with pytest.raises(RefusedError, match="new pin is not in the policy"):
        steps.switch(policy_of((A,), (C,)), rotation_of(change), today=date(2027, 6, 1))
    with pytest.raises(RefusedError, match="old pin is not in the policy"):
        steps.switch(policy_of((C,), (B,)), rotation_of(change), today=date(2027, 6, 1))


def test_an_expired_policy_is_promoted_by_nobody() -> None:
    change = at_stage(Stage.SWITCHING)
    ended = replace(change.policy, expires=date(2026, 1, 1), on_expiry=OnExpiry.CLOSED)
    with pytest.raises(RefusedError, match="expired"):
        steps.promote(ended, rotation_of(change), served(1), at=AT)
