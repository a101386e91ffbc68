"""The work of `pinwarden pin rotate`: what the host serves, the steps, the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from pinwarden.cli.asking_hosts import Asking, ask_hosts, endpoint_of, endpoint_of_policy
from pinwarden.cli.output import ExitCode, answer, answer_json, say, say_error
from pinwarden.cli.pin.editing import PinFile, diff_of
from pinwarden.cli.pin.key_files import read_chain
from pinwarden.cli.pin.lint_run import chains_of
from pinwarden.cli.pin.offline import verify_offline
from pinwarden.cli.pin.renewals import issuance_of, issuances_seen
from pinwarden.cli.pin.rotate_keys import chosen_keys, last_day, new_key_of
from pinwarden.cli.pin.rotate_view import Outcome, plan_json, plan_text
from pinwarden.cli.reading import parse_moment
from pinwarden.errors import ConfigError, MalformedError, StoreError, VerificationError, quoted
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinPolicy, PinRole
from pinwarden.pinning.rotation import steps
from pinwarden.pinning.rotation.edits import NewKey
from pinwarden.pinning.rotation.habit import Habit, Issuance, habit_of
from pinwarden.pinning.rotation.plan import Circumstances, Plan, make_plan
from pinwarden.pinning.rotation.state import Rotation
from pinwarden.pinning.rotation.steps import Change, NotSeenError, RefusedError, Step
from pinwarden.pinning.served import ServedChain, pins_in
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import view_certificate

__all__ = ["Order", "rotate_pins"]

_USUAL_LAG = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `rotate` was asked for; `client_lag` and `keep` are in days."""

    file: Path
    host: str | None
    old: tuple[str, ...]
    new: str | None
    backups: tuple[str, ...]
    client_lag: int | None
    keep: int
    steps: tuple[str, ...]
    dry_run: bool
    published: str | None
    forbid: bool
    chain: str | None
    history: bool
    at: str | None
    passphrase_file: str | None
    store: str | None
    config_file: Path | None
    asking: Asking
    as_json: bool


def rotate_pins(order: Order) -> int:
    """Plan, or take steps; returns the exit code."""
    _refuse_meaningless(order)
    rotating = _Rotating(order)
    if not order.steps:
        _tell(_outcome(rotating, ()), order)
        return ExitCode.OK
    before = rotating.file.text
    done: list[Step] = []
    for step in map(Step, order.steps):
        try:
            rotating.take(step)
        except RefusedError as error:
            say_error(RefusedError(f"--do {step}: {error}", hint=error.hint))
            if done:
                say("note: nothing was written, of the steps before it neither")
            return ExitCode.UNFINISHED if isinstance(error, NotSeenError) else ExitCode.FINDINGS
        done.append(step)
    difference = diff_of(before, rotating.file.text, str(order.file))
    # First all that can fail, then the file.
    outcome = _outcome(rotating, tuple(done), difference)
    if not order.dry_run:
        rotating.file.save()
    _tell(outcome, order)
    return ExitCode.OK


def _refuse_meaningless(order: Order) -> None:
    """An option without effect is a mistake about what will happen."""
    if order.at is not None and order.steps and not order.dry_run:
        raise ConfigError("--at: steps are taken today", hint="use it to plan, or with --dry-run")
    if order.published is not None and Step.PUBLISH not in order.steps:
        raise ConfigError("--published: means something with --do publish only")
    if order.forbid and Step.RETIRE not in order.steps:
        raise ConfigError("--forbid: means something with --do retire only")
    if order.dry_run and not order.steps:
        raise ConfigError("--dry-run: means something with --do only")
    if str(order.file) == "-":
        raise ConfigError("FILE: is changed in place, so it cannot be the standard input")


class _Rotating:
    """One policy of one file in the course of this command."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.file = PinFile(order.file)
        self._endpoint = None if order.host is None else endpoint_of(order.host, order.asking)
        self._host = None if self._endpoint is None else self._endpoint.host
        self.now = parse_moment(order.at, "--at") or datetime.now(UTC)
        policy, rotation = self.policy, self.rotation
        if rotation is not None:
            _refuse_other_keys(order, rotation)
            self.old: tuple[Pin, ...] = rotation.old
            self.new: NewKey | None = new_key_of(rotation.new)
        else:
            self.old, self.new = chosen_keys(
                policy, order.old, order.new, lambda: self.served, order.passphrase_file
            )

    @property
    def policy(self) -> PinPolicy:
        """The policy as the file has it now."""
        return self.file.policy(self._host)

    @property
    def rotation(self) -> Rotation | None:
        """The rotation under way as the file has it now."""
        return self.file.rotation(self.policy)

    @property
    def today(self) -> date:
        """The day of this command, in UTC."""
        return self.now.date()

    @cached_property
    def served(self) -> tuple[ServedChain, ...]:
        """What the host serves; asked at most once."""
        order, host = self.order, self.policy.host
        if order.chain is not None:
            return (_of_file(order, self._host or host, self.now),)
        endpoint = self._endpoint or endpoint_of_policy(host, order.asking)
        found = ask_hosts((endpoint,), order.asking)[0]
        if found.problem or found.left_out:
            problem = found.problem or f"{found.left_out} addresses were not asked"
            return (ServedChain(address=str(endpoint), verified=(), problem=problem),)
        return tuple(chains_of(found))

    def take(self, step: Step) -> None:
        """Take one step in memory; raises `RefusedError`."""
        change = self._change(step)
        self.file.take(self.file.changed(self.policy, change))

    def _change(self, step: Step) -> Change:
        policy, rotation, order = self.policy, self.rotation, self.order
        if step is Step.PREPARE:
            if rotation is not None:
                raise RefusedError(
                    f"a rotation is under way: it is {rotation.stage}", hint="--do abort ends it"
                )
            return steps.prepare(
                policy,
                self.old,
                self._new(),
                [new_key_of(each, order.passphrase_file) for each in order.backups],
                client_lag=_USUAL_LAG if order.client_lag is None else order.client_lag,
                today=self.today,
            )
        if rotation is None:
            raise RefusedError("no rotation is under way", hint="--do prepare begins one")
        if step is Step.PUBLISH:
            published = parse_moment(order.published, "--published") or self.now
            return steps.publish(policy, rotation, published=published.date(), today=self.today)
        if step is Step.SWITCH:
            return steps.switch(policy, rotation, today=self.today)
        if step is Step.PROMOTE:
            return steps.promote(policy, rotation, self.served, at=self.now)
        if step is Step.RETIRE:
            return steps.retire(policy, rotation, self.served, at=self.now, forbid=order.forbid)
        return steps.abort(policy, rotation, self.served, at=self.now)

    def _new(self) -> NewKey:
        if self.new is None:
            raise ConfigError(
                "--new: is needed, since the file has not just one backup pin",
                hint="the pin or the file of the key to come; `pinwarden pin backup` makes one",
            )
        return self.new

    def plan(self) -> Plan | None:
        """The plan as the file is now; None after the last step."""
        rotation, order = self.rotation, self.order
        if rotation is None and order.steps:
            return None
        leaf, ends = self._dates()
        lag = _USUAL_LAG if order.client_lag is None else order.client_lag
        return make_plan(
            self.policy,
            rotation,
            Circumstances(
                today=self.today,
                client_lag=lag,
                keep=order.keep,
                role=self._role(),
                ends=ends,
                served=leaf,
                habit=self.habit,
                new_is_alone=self._new_is_alone(),
            ),
        )

    def _new_is_alone(self) -> bool:
        """Whether some address serves the new key and none of the old ones."""
        new, old = self.new, set(self.old)
        seen = [set(pins_in(each.verified)) for each in self.served]
        return new is not None and any(new.pin in pins and not pins & old for pins in seen)

    def _role(self) -> PinRole:
        """A leaf's if any old key is one, since renewals change those first."""
        leaves = self.policy.pins(PinRole.LEAF)
        return PinRole.LEAF if any(pin in leaves for pin in self.old) else PinRole.CA

    @cached_property
    def habit(self) -> Habit | None:
        """How the host renews, as far as it is known."""
        leaf, _ = self._dates()
        if leaf is None:
            return None
        seen: tuple[Issuance, ...] = ()
        if self.order.history:
            certificate = next(each.verified[0] for each in self.served if each.verified)
            try:
                seen = issuances_seen(
                    self.policy.host,
                    certificate,
                    store=self.order.store,
                    config_file=self.order.config_file,
                )
            except StoreError as error:
                raise ConfigError(f"--history: {error}", hint=error.hint) from None
        return habit_of(leaf, seen)

    def _dates(self) -> tuple[Issuance | None, date | None]:
        """The leaf that ends first, and the day on which the old key's certificate ends."""
        leaves = [issuance_of(each.verified[0]) for each in self.served if each.verified]
        found = sorted((each for each in leaves if each), key=lambda each: each.not_after)
        ends = [
            last
            for each in self.served
            for der in each.verified
            if (last := _last_day(der, self.old)) is not None
        ]
        noted = [k.expires for k in self.policy.keys if k.pin in self.old and k.expires]
        return found[0] if found else None, min([*ends, *noted], default=None)


def _refuse_other_keys(order: Order, rotation: Rotation) -> None:
    old = {new_key_of(each, order.passphrase_file).pin for each in order.old}
    new = set() if order.new is None else {new_key_of(order.new, order.passphrase_file).pin}
    for option, given, pins in (("--old", old, rotation.old), ("--new", new, (rotation.new,))):
        if given and given != set(pins):
            shown = ", ".join(map(str, pins))
            raise ConfigError(
                f"{option}: a rotation with {shown} is under way", hint="--do abort ends it"
            )
    if order.client_lag not in (None, rotation.client_lag):
        raise ConfigError(
            f"--client-lag: the rotation under way has {rotation.client_lag} days",
            hint="--do abort ends it",
        )


def _last_day(der: bytes, pins: Sequence[Pin]) -> date | None:
    try:
        return last_day(view_certificate(der)) if pin_of_certificate(der) in pins else None
    except MalformedError:
        return None


def _of_file(order: Order, host: str, at: datetime) -> ServedChain:
    assert order.chain is not None
    chain = read_chain(order.chain, order.passphrase_file)
    where = f"file {quoted(order.chain)}"
    try:
        verified = verify_offline(chain, host, cafile=order.asking.cafile, at=at)
    except VerificationError as error:
        return ServedChain(address=where, verified=(), sent=chain, problem=str(error))
    return ServedChain(address=where, verified=verified, sent=chain)


def _outcome(rotating: _Rotating, done: Sequence[Step], difference: str = "") -> Outcome:
    plan = rotating.plan()
    return Outcome(
        file=str(rotating.order.file),
        policy=rotating.policy,
        rotation=rotating.rotation,
        old=rotating.old,
        new=None if rotating.new is None else rotating.new.pin,
        plan=plan,
        habit=rotating.habit if plan is not None else None,
        done=tuple(done),
        written=bool(done) and not rotating.order.dry_run,
        difference=difference,
        not_seen=tuple(
            f"{each.address}: {each.problem or 'no verified chain'}"
            for each in (rotating.served if plan is not None else ())
            if not each.verified
        ),
    )


def _tell(outcome: Outcome, order: Order) -> None:
    if order.as_json:
        answer_json(plan_json(outcome))
    else:
        answer("\n".join(plan_text(outcome)))
