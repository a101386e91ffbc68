"""The work of `pinwarden pin check`: ask, compare, and tell what clients would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pinwarden.cli.asking_hosts import Asking, ask_hosts, endpoint_of, endpoint_of_policy
from pinwarden.cli.output import ExitCode, answer, answer_json, worst
from pinwarden.cli.pin.check_view import checked_json, checked_text
from pinwarden.cli.pin.checking import Checked, CheckedAddress, check_address
from pinwarden.cli.pin.key_files import is_file, read_chain
from pinwarden.cli.pin.offline import verify_offline
from pinwarden.cli.pin.pin_sets import load_pin_set
from pinwarden.cli.reading import parse_moment
from pinwarden.errors import ConfigError, VerificationError, quoted
from pinwarden.names import display
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedAddress
from pinwarden.pinning.pin import PinError, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinnedKey, PinPolicy, PinRole, UnpinnedHosts

__all__ = ["Order", "check_pins"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `check` was asked for."""

    arguments: tuple[str, ...]
    pins: tuple[str, ...]
    chain: str | None
    at: str | None
    quiet: bool
    asking: Asking
    as_json: bool


def check_pins(order: Order) -> int:
    """Check every host, tell about each, and return the exit code."""
    at = parse_moment(order.at, "--at") or datetime.now(UTC)
    pins, endpoints = _subjects(order)
    checked = (
        _offline(order, pins, endpoints, at) if order.chain else _live(order, pins, endpoints, at)
    )
    codes = {ExitCode.OK}
    for each in checked:
        codes.add(each.code)
        if order.quiet:
            continue
        if order.as_json:
            answer_json(checked_json(each))
        else:
            answer(checked_text(each))
    return worst(codes)


def _subjects(order: Order) -> tuple[PinSet, list[Endpoint]]:
    """The pin set, and the hosts to check against it."""
    if order.pins:
        if is_file(order.arguments[0]):
            raise ConfigError(
                f"--pin and the file {quoted(order.arguments[0])}: choose one of them",
                hint="with --pin every argument is a host",
            )
        endpoints = [endpoint_of(each, order.asking) for each in order.arguments]
        return _set_of(order.pins, endpoints), endpoints
    file, *hosts = _file_first(order.arguments)
    if not is_file(file):
        raise ConfigError(
            f"pin set {quoted(file)}: there is no such file",
            hint="check FILE [HOST...], or check HOST... --pin PIN",
        )
    pins = load_pin_set(file)
    if hosts:
        return pins, [endpoint_of(each, order.asking) for each in hosts]
    return pins, [endpoint_of_policy(each.host, order.asking) for each in pins.policies]


def _file_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the only file among them in front, wherever it stood."""
    files = [each for each in arguments if is_file(each)]
    if len(files) != 1:
        return list(arguments)
    hosts = list(arguments)
    hosts.remove(files[0])
    return [files[0], *hosts]


def _set_of(texts: Sequence[str], endpoints: Sequence[Endpoint]) -> PinSet:
    """A policy for each host that any of the pins meets, wherever in the chain it is."""
    try:
        pins = tuple(dict.fromkeys(map(parse_pin, texts)))
    except PinError as error:
        raise ConfigError(f"--pin: {error}", hint=error.hint) from None
    keys = tuple(PinnedKey(pin, role) for pin in pins for role in (PinRole.LEAF, PinRole.CA))
    return PinSet(
        [
            PinPolicy(host=host, mode=Mode.ENFORCE, keys=keys, allow_no_backup=True)
            for host in dict.fromkeys(each.host for each in endpoints)
        ],
        unpinned_hosts=UnpinnedHosts.REFUSE,
    )


def _live(
    order: Order, pins: PinSet, endpoints: Sequence[Endpoint], at: datetime
) -> Iterator[Checked]:
    for served in ask_hosts(endpoints, order.asking):
        host = served.endpoint.host
        addresses = tuple(check_address(each, pins, host, at) for each in served.addresses)
        problem = served.problem
        policy = pins.policy_for(host)
        if problem and policy is not None and policy.include_subdomains:
            problem += f"; name hosts below it, such as www.{host}"
        if served.left_out:
            problem = f"{served.left_out} more addresses were not asked"
        yield Checked(
            target=str(served.endpoint),
            host=host,
            at=at,
            policy=policy,
            addresses=addresses,
            problem=problem,
        )


def _offline(
    order: Order, pins: PinSet, endpoints: Sequence[Endpoint], at: datetime
) -> Iterator[Checked]:
    assert order.chain is not None
    if len(endpoints) != 1:
        raise ConfigError("--chain: is of one host; name it", hint="check FILE HOST --chain FILE")
    if order.asking.addresses or order.asking.starttls:
        raise ConfigError("--chain: asks nobody, so leave out --address and --starttls")
    chain = read_chain(order.chain)
    endpoint = endpoints[0]
    file = ServedAddress(address=display(order.chain), port=0, sent=chain)
    yield Checked(
        target=str(endpoint),
        host=endpoint.host,
        at=at,
        policy=pins.policy_for(endpoint.host),
        addresses=(_check_file(file, order, pins, endpoint.host, at),),
        problem="",
    )


def _check_file(
    file: ServedAddress, order: Order, pins: PinSet, host: str, at: datetime
) -> CheckedAddress:
    try:
        verified = verify_offline(file.sent, host, cafile=order.asking.cafile, at=at)
    except VerificationError as error:
        problem = f"it does not verify: {error}"
        file = replace(file, failure=Failure.UNTRUSTED, problem=problem)
    else:
        file = replace(file, verified=verified)
    return check_address(file, pins, host, at)
