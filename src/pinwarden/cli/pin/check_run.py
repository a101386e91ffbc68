"""The work of `pinwarden pin check`: ask, compare, and tell what clients would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pinwarden.cli.caa.files import read_file
from pinwarden.cli.output import ExitCode, answer, answer_json
from pinwarden.cli.pin.asking import Asking, ask_hosts, endpoint_of
from pinwarden.cli.pin.check_view import checked_json, checked_text
from pinwarden.cli.pin.checking import Checked, CheckedAddress, check_address
from pinwarden.cli.pin.files import is_file, read_keys
from pinwarden.cli.pin.offline import verify_offline
from pinwarden.cli.reading import parse_moment
from pinwarden.errors import ConfigError, VerificationError, quoted
from pinwarden.names import display
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.tls import Failure, ServedAddress
from pinwarden.pinning.pin import PinError, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinnedKey, PinPolicy, PinRole, UnpinnedHosts

_LARGEST_SET = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What `check` was asked for."""

    arguments: tuple[str, ...]
    pins: tuple[str, ...]
    chain: str | None
    at: str | None
    quiet: bool
    asking: Asking
    as_json: bool


def check_pins(task: Task) -> int:
    """Check every host, tell about each, and return the exit code."""
    at = parse_moment(task.at, "--at") or datetime.now(UTC)
    pins, endpoints = _subjects(task)
    checked = (
        _offline(task, pins, endpoints, at) if task.chain else _live(task, pins, endpoints, at)
    )
    codes = {ExitCode.OK}
    for each in checked:
        codes.add(each.code)
        if task.quiet:
            continue
        if task.as_json:
            answer_json(checked_json(each))
        else:
            answer(checked_text(each))
    return ExitCode.FINDINGS if ExitCode.FINDINGS in codes else max(codes)


def _subjects(task: Task) -> tuple[PinSet, list[Endpoint]]:
    """The pin set, and the hosts to check against it."""
    if task.pins:
        if is_file(task.arguments[0]):
            raise ConfigError(
                f"--pin and the file {quoted(task.arguments[0])}: choose one of them",
                hint="with --pin every argument is a host",
            )
        endpoints = [endpoint_of(each, task.asking) for each in task.arguments]
        return _set_of(task.pins, endpoints), endpoints
    file, *hosts = _file_first(task.arguments)
    if not is_file(file):
        raise ConfigError(
            f"pin set {quoted(file)}: there is no such file",
            hint="check FILE [HOST...], or check HOST... --pin PIN",
        )
    pins = _from_stdin() if file == "-" else PinSet.load(file)
    if hosts:
        return pins, [endpoint_of(each, task.asking) for each in hosts]
    return pins, [endpoint_of(_bracketed(each.host), task.asking) for each in pins.policies]


def _file_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the only file among them in front, wherever it stood."""
    files = [each for each in arguments if is_file(each)]
    if len(files) != 1:
        return list(arguments)
    hosts = list(arguments)
    hosts.remove(files[0])
    return [files[0], *hosts]


def _from_stdin() -> PinSet:
    """A set in TOML, or in JSON, which begins with a brace."""
    data = read_file(Path("-"), _LARGEST_SET)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("standard input: is not UTF-8 text") from None
    return PinSet.parse(text, json=text.lstrip().startswith("{"), where="standard input")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


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
    task: Task, pins: PinSet, endpoints: Sequence[Endpoint], at: datetime
) -> Iterator[Checked]:
    for served in ask_hosts(endpoints, task.asking):
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
    task: Task, pins: PinSet, endpoints: Sequence[Endpoint], at: datetime
) -> Iterator[Checked]:
    assert task.chain is not None
    if len(endpoints) != 1:
        raise ConfigError("--chain: is of one host; name it", hint="check FILE HOST --chain FILE")
    if task.asking.addresses or task.asking.starttls:
        raise ConfigError("--chain: asks nobody, so leave out --address and --starttls")
    material = read_keys(task.chain)
    chain = tuple(each.der for each in material if each.certificate is not None)
    if not chain:
        raise ConfigError(f"--chain {quoted(task.chain)}: holds no certificate")
    endpoint = endpoints[0]
    file = ServedAddress(address=display(task.chain), port=0, sent=chain)
    yield Checked(
        target=str(endpoint),
        host=endpoint.host,
        at=at,
        policy=pins.policy_for(endpoint.host),
        addresses=(_check_file(file, task, pins, endpoint.host, at),),
        problem="",
    )


def _check_file(
    file: ServedAddress, task: Task, pins: PinSet, host: str, at: datetime
) -> CheckedAddress:
    try:
        verified = verify_offline(file.sent, host, cafile=task.asking.cafile, at=at)
    except VerificationError as error:
        problem = f"it does not verify: {error}"
        file = replace(file, failure=Failure.UNTRUSTED, problem=problem)
    else:
        file = replace(file, verified=verified)
    return check_address(file, pins, host, at)
