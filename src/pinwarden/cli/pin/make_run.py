"""The work of `pinwarden pin make`: from chains to policies, and to a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from pinwarden.cli.asking_hosts import Asking, ask_hosts, endpoint_of
from pinwarden.cli.history_sources import HistoryOptions
from pinwarden.cli.output import ExitCode, answer, answer_json, say, worst
from pinwarden.cli.pin.key_files import is_file, read_keys
from pinwarden.cli.pin.keys import ShownKey, keys_of_chain, keys_of_material
from pinwarden.cli.pin.offline import verify_offline
from pinwarden.cli.pin.writing import write_file
from pinwarden.errors import ConfigError, PinwardenError, VerificationError, quoted
from pinwarden.names import display
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedHost
from pinwarden.pinning.material import CertificateRole
from pinwarden.pinning.pin import Pin, PinError, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinnedKey,
    PinPolicy,
    PinRole,
    UnpinnedHosts,
)

__all__ = ["Order", "make_set"]

_LONGEST_COMMENT = 300
_NO_BACKUP = (
    "a backup is of a key, or of another CA, that is not in use now: `pinwarden pin backup` makes "
    "one, and --backup takes its pin or file; or say --allow-no-backup"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `make` was asked for."""

    hosts: tuple[str, ...]
    backups: tuple[str, ...]
    allow_no_backup: bool
    places: frozenset[str]
    mode: str
    expires: str | None
    on_expiry: str | None
    include_subdomains: bool
    exclude: tuple[str, ...]
    report_uri: str
    owner: str
    comment: str
    unpinned_hosts: str
    from_file: str | None
    history: HistoryOptions | None
    output: str | None
    force: bool
    asking: Asking
    passphrase_file: str | None
    as_json: bool


@dataclass(slots=True)
class _Host:
    """What one host serves: every key of its verified chains, and all that it sends besides."""

    name: str
    keys: dict[Pin, ShownKey] = field(default_factory=dict)
    chains: list[tuple[ShownKey, ...]] = field(default_factory=list)
    sent: set[Pin] = field(default_factory=set)
    # Of whole certificates, which are the commonest thing to be mistaken for a pin.
    hashes: set[bytes] = field(default_factory=set)
    certificates: dict[bytes, None] = field(default_factory=dict)

    def saw(self, certificates: Iterable[bytes]) -> None:
        """Certificates in DER, verified or not."""
        for der in certificates:
            self.hashes.add(hashlib.sha256(der).digest())
            self.certificates[der] = None

    def add(self, keys: Sequence[ShownKey]) -> None:
        """One more chain."""
        self.chains.append(tuple(keys))
        for key in keys:
            if key.pin is not None:
                self.keys.setdefault(key.pin, key)


def make_set(order: Order) -> int:
    """Make the set that was asked for, say what to know, and write or answer it."""
    expires = _expires(order)
    endpoints = [endpoint_of(each, order.asking) for each in order.hosts]
    backups = [key for each in order.backups for key in _backup(each, order.passphrase_file)]
    hosts: dict[str, _Host] = {}
    if order.from_file is not None:
        for endpoint in endpoints:
            host = hosts.setdefault(endpoint.host, _Host(endpoint.host))
            host.add(_from_file(order.from_file, host, order))
    else:
        code = _ask(endpoints, hosts, order)
        if code is not ExitCode.OK:
            say("no pin set was made")
            return code
    if order.history is not None:
        order = replace(order, places=_from_history(hosts, backups, order, order.history))
    policies = [_policy(host, backups, expires, order) for host in hosts.values()]
    made = PinSet(policies, unpinned_hosts=UnpinnedHosts(order.unpinned_hosts))
    notes = list(dict.fromkeys(_notes(hosts.values(), backups, expires, order)))
    _deliver(made, notes, order)
    return ExitCode.OK


def _from_history(
    hosts: dict[str, _Host], backups: Sequence[ShownKey], order: Order, history: HistoryOptions
) -> frozenset[str]:
    from pinwarden.cli.pin.make_history import tightest_places

    def policies_of(places: frozenset[str]) -> list[PinPolicy]:
        # The past is asked about the keys, and not about a last day that is yet to come.
        chosen = replace(order, places=places, on_expiry=None)
        return [_policy(host, backups, None, chosen) for host in hosts.values()]

    served = [der for host in hosts.values() for der in host.certificates]
    return tightest_places(list(hosts), policies_of, served, history, order.asking.cafile)


def _expires(order: Order) -> date | None:
    """The last day; raises `ConfigError`, also where what happens then is not said."""
    if order.expires is None:
        if order.on_expiry is not None:
            raise ConfigError("--on-expiry: means something with --expires only")
        return None
    try:
        day = date.fromisoformat(order.expires)
    except ValueError:
        raise ConfigError(
            f"--expires {quoted(order.expires)}: not a date", hint="such as 2027-06-30"
        ) from None
    if order.on_expiry is None:
        raise ConfigError(
            "--expires: say what happens then, with --on-expiry",
            hint="closed refuses connections, open stops pinning, report-only only reports",
        )
    if day < datetime.now(UTC).date():
        raise ConfigError(f"--expires {day}: is over")
    return day


def _backup(given: str, passphrase_file: str | None) -> list[ShownKey]:
    """The keys of a backup, given as a pin or as a file; a chain gives its own key alone."""
    if is_file(given):
        found = keys_of_material(read_keys(given, passphrase_file))
        if len(found) > 1 and found[0].role is not None:
            say(f"note: {display(given)}: the first of its {len(found)} certificates is the backup")
        return list(found[:1])
    try:
        return [ShownKey(position=0, kind=None, pin=parse_pin(given))]
    except PinError as error:
        hint = error.hint or "a pin such as sha256//…, or a file that is there"
        raise ConfigError(f"--backup: {error}", hint=hint) from None


def _from_file(path: str, host: _Host, order: Order) -> tuple[ShownKey, ...]:
    """The keys of a chain as it verifies for a host; else, and said so, as they stand there."""
    material = read_keys(path, order.passphrase_file)
    chain = [each.der for each in material if each.certificate is not None]
    host.saw(chain)
    try:
        if not chain:
            raise VerificationError("holds no certificate")
        cafile, at = order.asking.cafile, datetime.now(UTC)
        verified = verify_offline(chain, host.name, cafile=cafile, at=at)
    except VerificationError as error:
        say(f"note: {display(path)}: not verified for {host.name}: {error}")
        return keys_of_material(material)
    host.saw(verified)
    return keys_of_chain(verified)


def _ask(endpoints: Sequence[Endpoint], hosts: dict[str, _Host], order: Order) -> ExitCode:
    """Fill `hosts`; says what is wrong, and returns what it comes to."""
    codes = {ExitCode.OK}
    for served in ask_hosts(endpoints, order.asking):
        host = hosts.setdefault(served.endpoint.host, _Host(served.endpoint.host))
        for chain in served.chains:
            host.add(keys_of_chain(chain))
            host.saw(chain)
        for address in served.addresses:
            host.saw(address.sent)
            host.sent |= {key.pin for key in keys_of_chain(address.sent) if key.pin}
        codes |= _judge(served)
    return worst(codes)


def _judge(served: ServedHost) -> set[ExitCode]:
    codes = set()
    name = display(str(served.endpoint))
    if served.problem:
        say(f"{name}: {served.problem}")
        codes.add(ExitCode.UNFINISHED)
    for address in served.addresses:
        if address.problem:
            say(f"{name}: {address}: {address.problem}")
            untrusted = address.failure is Failure.UNTRUSTED
            codes.add(ExitCode.FINDINGS if untrusted else ExitCode.UNFINISHED)
    if served.left_out:
        say(f"note: {name}: {served.left_out} more addresses were not asked")
    for key in (key for chain in served.chains for key in keys_of_chain(chain)):
        if key.pin is None:
            say(f"{name}: {key.subject}: {key.problem}")
            codes.add(ExitCode.FINDINGS)
    return codes


def _policy(
    host: _Host, backups: Sequence[ShownKey], expires: date | None, order: Order
) -> PinPolicy:
    served = {*host.keys, *host.sent}
    for key in backups:
        if key.pin is not None and key.pin.spki_sha256 in host.hashes:
            raise ConfigError(
                f"{host.name}: the backup {key.pin} is the hash of a whole certificate, and no pin",
                hint="`pinwarden pin show` prints the pin of its key",
            )
        if key.pin in served:
            raise ConfigError(
                f"{host.name}: the backup {key.pin} is in the served chain, so it is none",
                hint=_NO_BACKUP,
            )
    if not backups and not order.allow_no_backup:
        raise ConfigError(f"{host.name}: there is no backup pin", hint=_NO_BACKUP)
    chosen = [key for key in host.keys.values() if _place(key) in order.places]
    if not chosen:
        wanted = " or ".join(sorted(order.places))
        raise ConfigError(
            f"{host.name}: the chain holds no {wanted} key",
            hint="choose with --leaf, --intermediate or --root",
        )
    try:
        return PinPolicy(
            host=host.name,
            mode=Mode(order.mode),
            keys=(
                *(_pinned(key, _role(key), order) for key in chosen),
                *(_pinned(key, PinRole.BACKUP, order) for key in backups),
            ),
            include_subdomains=order.include_subdomains,
            exclude=order.exclude,
            expires=expires,
            on_expiry=None if order.on_expiry is None else OnExpiry(order.on_expiry),
            report_uri=order.report_uri,
            allow_no_backup=not backups and order.allow_no_backup,
            comment=order.comment,
            owner=order.owner,
        )
    except PinwardenError as error:
        raise ConfigError(str(error), hint=error.hint) from None


def _place(key: ShownKey) -> str:
    """The place in the chain; a key that is in no certificate is taken for the server's own."""
    return str(key.role or CertificateRole.LEAF)


def _role(key: ShownKey) -> PinRole:
    return PinRole.LEAF if _place(key) == "leaf" else PinRole.CA


def _pinned(key: ShownKey, role: PinRole, order: Order) -> PinnedKey:
    assert key.pin is not None
    details = [each for each in (key.subject, key.key) if each]
    return PinnedKey(
        pin=key.pin,
        role=role,
        kind="" if key.role is None else str(key.role),
        comment=display(", ".join(details), _LONGEST_COMMENT),
        owner="",
        expires=None if key.not_after is None else key.not_after.date(),
    )


def _notes(
    hosts: Iterable[_Host], backups: Sequence[ShownKey], expires: date | None, order: Order
) -> Iterator[str]:
    pinned = " and ".join(
        place for place in ("leaf", "intermediate", "root") if place in order.places
    )
    yield f"pinned: {pinned}"
    if order.places == {"intermediate", "root"}:
        yield (
            "the root lives longest; the intermediate is for clients whose verified chain ends "
            "early, and changes without notice"
        )
    if order.places == {"root"}:
        yield (
            "a client whose trust store holds the intermediate may never see the root: Python 3.13 "
            "and later end the chain at the first certificate that is trusted"
        )
    if "root" not in order.places:
        yield (
            "leaf keys change at renewals and intermediates without notice: plan each change with "
            "`pinwarden pin rotate`"
        )
    for host in hosts:
        leaves = [chain[0] for chain in host.chains if chain]
        if len({key.pin for key in leaves}) > 1:
            yield f"{host.name}: its addresses serve {len({key.pin for key in leaves})} keys"
        roots = {chain[-1].pin for chain in host.chains if chain}
        if len(roots) > 1:
            yield f"{host.name}: its addresses end at {len(roots)} roots, and each is pinned"
        ends = {chain[-1].role for chain in host.chains if chain}
        if CertificateRole.INTERMEDIATE in ends:
            yield f"{host.name}: its verified chain ends at a certificate that is no root"
    if not backups:
        yield "no backup pin: whoever loses the pinned key locks every client out"
    if expires is None:
        yield "the policies never expire: --expires and --on-expiry bound the damage of a mistake"
    elif order.on_expiry == OnExpiry.CLOSED:
        yield f"after {expires} clients connect no more unless they have a newer set by then"
    if order.mode == Mode.REPORT_ONLY and not order.report_uri:
        yield "report-only without --report-uri: only programs with a callback or log hear of it"


def _deliver(made: PinSet, notes: Sequence[str], order: Order) -> None:
    text = made.to_toml()
    # What is written must be what will be read.
    if PinSet.parse(text) != made:
        raise PinwardenError("pin set: cannot be written so that it reads as it is")
    written = made.to_json() if (order.output or "").endswith(".json") else text
    if order.output is not None:
        write_file(order.output, written, force=order.force)
    if order.as_json:
        answer_json(_document(made, text, notes, order))
        return
    for note in notes:
        say(f"note: {note}")
    if order.output is None:
        answer(text)
    else:
        say(f"{display(order.output)}: written; `pinwarden pin check` tries it")


def _document(made: PinSet, text: str, notes: Sequence[str], order: Order) -> dict[str, Any]:
    return {
        "output": order.output,
        "hosts": [policy.host for policy in made.policies],
        "toml": text,
        "policies": [
            {
                "host": policy.host,
                "mode": str(policy.mode),
                "pins": [
                    {
                        "pin": key.pin.curl,
                        "role": str(key.role),
                        "kind": key.kind or None,
                        "comment": key.comment,
                        "expires": None if key.expires is None else key.expires.isoformat(),
                    }
                    for key in policy.keys
                ],
            }
            for policy in made.policies
        ],
        "notes": list(notes),
    }
