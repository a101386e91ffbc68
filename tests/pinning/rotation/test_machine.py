"""Whatever steps are taken in whatever order: no client within the lag is ever locked out.

The model knows nothing of the rules of `rotation.steps`: it ships sets, lets time pass,
changes servers as far as the steps allow it, and asks the evaluation that clients run.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.policy import PinPolicy, PinRole
from pinwarden.pinning.result import PinVerdict
from pinwarden.pinning.rotation import steps
from pinwarden.pinning.rotation.edits import NewKey
from pinwarden.pinning.rotation.state import Rotation, Stage
from support.pin_rotation import HOST, MOST, authority, policy_of, served

_NUMBERS = st.integers(0, MOST - 1)
_SOME = st.lists(_NUMBERS, min_size=1, max_size=2)
_ADDRESSES = 2


class Rotations(RuleBasedStateMachine):
    """Two addresses, one operator who follows the refusals, and clients that lag."""

    @initialize(
        lag=st.integers(0, 40),
        role=st.sampled_from([PinRole.LEAF, PinRole.CA]),
        begun=st.integers(0, 5),
    )
    def begin(self, lag: int, role: PinRole, begun: int) -> None:
        self.lag, self.role = lag, role
        self.day = date(2026, 1, 1)
        self.rotation: Rotation | None = None
        self.policy = policy_of((self.pin(0),), (self.pin(1),), role=role)
        self.shipped: list[tuple[date, PinPolicy]] = [(date(2020, 1, 1), self.policy)]
        self.serving = [0] * _ADDRESSES
        for step in range(begun):
            self.go_on(step)

    def go_on(self, step: int) -> None:
        """One step of a rotation as it should go, so that its end is tried out too."""
        if step == 0:
            self.prepare(served_one=True, other=0, new=1, backups=[2])
        elif step == 1:
            self.publish(ship_first=True)
        elif step == 2:
            self.switch(days=0)
        elif step == 3:
            self.change_servers(addresses=(0, 1), new=True)
        else:
            self.by_what_is_served(step=steps.promote, ship_then=True)

    def pin(self, number: int) -> steps.Pin:
        return authority(number).pin(self.role)

    @property
    def at(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)

    def do(self, change: steps.Change) -> None:
        self.policy, self.rotation = change.policy, change.rotation

    @rule(days=st.integers(1, 45))
    def time_passes(self, days: int) -> None:
        self.day += timedelta(days=days)

    @rule()
    def ship(self) -> None:
        self.shipped.append((self.day, self.policy))

    @precondition(lambda self: self.rotation is None)
    @rule(served_one=st.booleans(), other=_NUMBERS, new=_NUMBERS, backups=_SOME)
    def prepare(self, served_one: bool, other: int, new: int, backups: list[int]) -> None:
        try:
            change = steps.prepare(
                self.policy,
                [self.pin(self.serving[0] if served_one else other)],
                NewKey(pin=self.pin(new)),
                [NewKey(pin=self.pin(each)) for each in backups],
                client_lag=self.lag,
                today=self.day,
            )
        except steps.RefusedError:
            return
        self.do(change)

    @precondition(lambda self: self.rotation is not None)
    @rule(ship_first=st.booleans())
    def publish(self, ship_first: bool) -> None:
        """The operator tells the truth: since that day every set shipped has the new pin."""
        assert self.rotation is not None
        if ship_first:
            self.ship()
        since = None
        for day, policy in reversed(self.shipped):
            if self.rotation.new not in policy.pins():
                break
            since = day
        if since is None:
            return
        try:
            change = steps.publish(self.policy, self.rotation, published=since, today=self.day)
        except steps.RefusedError:
            return
        self.do(change)

    @precondition(lambda self: self.rotation is not None)
    @rule(days=st.sampled_from([0, 0, 1]))
    def switch(self, days: int) -> None:
        """As early as may be: on the first day on which it is not refused, or a day later."""
        assert self.rotation is not None
        while self.rotation.stage is Stage.PUBLISHED:
            try:
                steps.switch(self.policy, self.rotation, today=self.day)
                break
            except steps.RefusedError:
                self.day += timedelta(days=1)
        self.day += timedelta(days=days)
        try:
            self.do(steps.switch(self.policy, self.rotation, today=self.day))
        except steps.RefusedError:
            return

    @precondition(
        lambda self: (
            self.rotation is not None and self.rotation.stage in (Stage.SWITCHING, Stage.PROMOTED)
        )
    )
    @rule(addresses=st.sampled_from([(0,), (1,), (0, 1)]), new=st.booleans())
    def change_servers(self, addresses: tuple[int, ...], new: bool) -> None:
        """To the new key, or back to the old one, while both are allowed."""
        assert self.rotation is not None
        wanted = self.rotation.new if new else self.rotation.old[0]
        found = [number for number in range(MOST) if self.pin(number) == wanted]
        for address in addresses:
            self.serving[address] = found[0]

    @precondition(lambda self: self.rotation is not None)
    @rule(
        step=st.sampled_from([steps.promote, steps.promote, steps.retire, steps.abort]),
        ship_then=st.booleans(),
    )
    def by_what_is_served(self, step: object, ship_then: bool) -> None:
        assert self.rotation is not None
        try:
            change = step(self.policy, self.rotation, served(*self.serving), at=self.at)  # type: ignore[operator]
        except steps.RefusedError:
            return
        self.do(change)
        if ship_then:
            self.ship()

    def held_by_clients(self) -> list[PinPolicy]:
        """Every set that a client may have: shipped late on its day, held for the lag."""
        oldest = self.day - timedelta(days=self.lag)
        before = [policy for day, policy in self.shipped if day < oldest]
        return before[-1:] + [policy for day, policy in self.shipped if day >= oldest]

    @invariant()
    def nobody_is_locked_out(self) -> None:
        for policy in self.held_by_clients():
            for number in self.serving:
                chain = authority(number).chain
                result = compare(policy, chain, HOST, at=self.at)
                assert result.verdict is PinVerdict.MATCH, result

    @invariant()
    def a_backup_stays(self) -> None:
        """Whoever loses the served key has another one that clients know."""
        assert self.policy.pins(PinRole.BACKUP)


TestRotations = Rotations.TestCase
TestRotations.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
