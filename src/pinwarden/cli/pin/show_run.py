"""The work of `pinwarden pin show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pinwarden.cli.asking_hosts import Asking, ask_hosts, endpoint_of
from pinwarden.cli.output import ExitCode, answer, answer_json, say, worst
from pinwarden.cli.pin.key_files import could_be_host, is_file, looks_like_pin, read_keys
from pinwarden.cli.pin.keys import ShownKey, key_json, keys_of_chain, keys_of_material
from pinwarden.errors import ConfigError
from pinwarden.names import display
from pinwarden.net.served import Failure, ServedAddress, ServedHost
from pinwarden.pinning.pin import Pin, PinError, parse_pin

__all__ = ["Order", "show_pins"]

_NO_FINGERPRINT = (
    "note: a pin is of the key alone; the fingerprint of a certificate is none, since it changes "
    "with every renewal"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `show` was asked for."""

    targets: tuple[str, ...]
    form: str
    roles: tuple[str, ...]
    bare: bool
    asking: Asking
    passphrase_file: str | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One target, and the keys that it came to.

    `others` are further chains of a host that serves several; `code` is what its part in
    the exit code is.
    """

    target: str
    source: str
    keys: tuple[ShownKey, ...]
    verified: bool | None = None
    others: tuple[tuple[ShownKey, ...], ...] = ()
    served: ServedHost | None = None
    code: ExitCode = ExitCode.OK


def show_pins(order: Order) -> int:
    """Find the pins of all targets, then show them; returns the exit code."""
    found: list[_Found | None] = [_without_asking(each, order) for each in order.targets]
    missing = [number for number, each in enumerate(found) if each is None]
    endpoints = [endpoint_of(order.targets[number], order.asking) for number in missing]
    if endpoints:
        for number, served in zip(missing, ask_hosts(endpoints, order.asking), strict=True):
            found[number] = _of_host(order.targets[number], served)
    codes = set()
    for each in found:
        assert each is not None
        _tell(_only(each, order.roles), order)
        codes.add(each.code)
    certificates = any(key.role for each in found if each is not None for key in each.keys)
    if certificates and not (order.as_json or order.bare):
        say(_NO_FINGERPRINT)
    return worst(codes)


def _without_asking(target: str, order: Order) -> _Found | None:
    """What a file or a pin comes to; None for a host."""
    if is_file(target):
        keys = keys_of_material(read_keys(target, order.passphrase_file))
        if could_be_host(target):
            say(f"note: {display(target)} is a file here; for a host of that name add its port")
        return _Found(target=target, source="file", keys=keys)
    if not looks_like_pin(target):
        return None
    try:
        pin = parse_pin(target)
    except PinError as error:
        raise ConfigError(str(error), hint=error.hint) from None
    return _Found(target=target, source="pin", keys=(ShownKey(position=0, kind=None, pin=pin),))


def _of_host(target: str, served: ServedHost) -> _Found:
    chains = served.chains
    untrusted = [each for each in served.addresses if each.failure is Failure.UNTRUSTED]
    shown = chains or tuple(dict.fromkeys(each.sent for each in untrusted if each.sent))
    keys = tuple(map(keys_of_chain, shown))
    code = ExitCode.OK
    if untrusted or any(key.problem for chain in keys for key in chain):
        code = ExitCode.FINDINGS
    elif not chains:
        code = ExitCode.UNFINISHED
    return _Found(
        target=target,
        source="host",
        keys=keys[0] if keys else (),
        others=keys[1:],
        verified=bool(chains),
        served=served,
        code=code,
    )


def _only(found: _Found, roles: Sequence[str]) -> _Found:
    if not roles:
        return found

    def kept(keys: Sequence[ShownKey]) -> tuple[ShownKey, ...]:
        return tuple(each for each in keys if each.role in roles)

    return replace(found, keys=kept(found.keys), others=tuple(map(kept, found.others)))


def _tell(found: _Found, order: Order) -> None:
    if order.as_json:
        answer_json(_json(found))
        return
    for note in _notes(found):
        say(note)
    chains = [each for each in (found.keys, *found.others) if each]
    if order.bare:
        # A pin that nothing verified must not end up in a script's variable.
        if found.verified is not False:
            pins = dict.fromkeys(key.pin for chain in chains for key in chain if key.pin)
            for pin in pins:
                answer(_in_form(pin, order.form))
        return
    if chains:
        answer("\n".join(_text(found, chains, order.form)) + "\n\n")


def _notes(found: _Found) -> Iterator[str]:
    served = found.served
    if served is None:
        return
    target = display(found.target)
    if served.problem:
        yield f"{target}: {served.problem}, and there is no such file"
    for address in served.addresses:
        if address.problem:
            yield f"{target}: {address}: {address.problem}"
    if served.left_out:
        yield f"{target}: {served.left_out} more addresses were not asked"
    if found.keys and not found.verified:
        yield f"{target}: nothing vouches for this chain: pin nothing of it without comparing"


def _text(found: _Found, chains: Sequence[Sequence[ShownKey]], form: str) -> Iterator[str]:
    state = ""
    if found.verified is not None:
        state = ": the verified chain" if found.verified else ": the chain as sent, NOT VERIFIED"
    yield f"{display(found.target)}{state}"
    for number, chain in enumerate(chains):
        if len(chains) > 1:
            yield f"chain {number + 1} of {len(chains)}, at {_where(found, number)}:"
        for key in chain:
            what = str(key.role or key.kind or "pin")
            yield f"  {what:<12}  {'no pin' if key.pin is None else _in_form(key.pin, form)}"
            details = (key.subject, key.key, key.until)
            if any(details):
                yield f"  {'':<12}  {', '.join(each for each in details if each)}"
            if key.issuer and key.issuer != key.subject:
                yield f"  {'':<12}  issuer {key.issuer}"
            if key.problem:
                yield f"  {'':<12}  {key.problem}"


def _where(found: _Found, number: int) -> str:
    assert found.served is not None
    addresses = found.served.addresses
    if found.verified:
        chain = found.served.chains[number]
        return ", ".join(str(each) for each in addresses if each.verified == chain)
    sent = tuple(dict.fromkeys(each.sent for each in addresses if each.sent))
    return ", ".join(str(each) for each in addresses if each.sent == sent[number])


def _in_form(pin: Pin, form: str) -> str:
    return str(getattr(pin, form))


def _json(found: _Found) -> dict[str, Any]:
    served = found.served
    return {
        "target": found.target,
        "source": found.source,
        "verified": found.verified,
        "certificates": [key_json(each) for each in found.keys],
        "other_chains": [[key_json(each) for each in chain] for chain in found.others],
        "addresses": [] if served is None else [_address_json(each) for each in served.addresses],
        "left_out": 0 if served is None else served.left_out,
        "problem": "" if served is None else served.problem,
    }


def _address_json(served: ServedAddress) -> dict[str, Any]:
    chain = served.verified or served.sent
    return {
        "address": served.address,
        "port": served.port,
        "protocol": served.protocol or None,
        "verified": bool(served.verified),
        "failure": None if served.failure is None else str(served.failure),
        "problem": served.problem,
        "pins": [None if key.pin is None else key.pin.curl for key in keys_of_chain(chain)],
    }
