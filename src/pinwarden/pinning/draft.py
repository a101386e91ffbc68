"""A pin set as its author wrote it, faults and all, so that every fault can be named.

A `PinSet` is refused at its first fault, because no client may run on half a set. A
`Draft` is for lint and imports: it holds what can be read and says what cannot.
"""

from __future__ import annotations

import json as json_module
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pinwarden.errors import MalformedError, PinwardenError, quoted
from pinwarden.pinning.document import ROLE_KEYS, from_data
from pinwarden.pinning.host import normalise_host, suffixes
from pinwarden.pinning.pin import BadPin, Pin, PinError, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinnedKey,
    PinPolicy,
    PinRole,
    PinSetError,
    UnpinnedHosts,
)
from pinwarden.pinning.strict_json import read_object

__all__ = ["Draft", "DraftKey", "DraftPolicy", "covering", "draft_of", "read_draft"]

# The strict reader names the policy; here that is said by where the problem stands.
_WHOSE = re.compile(r"(?:policy (?:'(?:[^'\\]|\\.)*'|[0-9]+)|the set): ")
_MOST_POLICIES, _MOST_KEYS = 10_000, 100_000
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftKey:
    """A pin as written; `pin` is None if it is none, and then `why` and `problem` say why."""

    role: PinRole
    text: str
    pin: Pin | None
    why: BadPin | None = None
    problem: str = ""
    kind: str = ""
    comment: str = ""
    owner: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPolicy:
    """A policy as written.

    `host` is normalised if it can be; `policy` is what a client would have of it, None if
    clients would refuse it; `problems` say why, as far as it is not a matter of one pin or
    of a missing backup. `rotation` is the table of a rotation under way, unread.
    """

    host: str
    keys: tuple[DraftKey, ...]
    mode: Mode | None = None
    include_subdomains: bool = False
    exclude: tuple[str, ...] = ()
    expires: date | None = None
    on_expiry: OnExpiry | None = None
    report_uri: str = ""
    allow_no_backup: bool = False
    policy: PinPolicy | None = None
    problems: tuple[str, ...] = ()
    rotation: Mapping[str, Any] | None = None

    def pins(self, *roles: PinRole) -> tuple[Pin, ...]:
        """The pins that can be read in these roles, in their order, repetitions included."""
        return tuple(
            key.pin for key in self.keys if key.pin is not None and (not roles or key.role in roles)
        )

    def expired(self, at: datetime) -> bool:
        """Whether the last day is over, in UTC."""
        return self.expires is not None and at.date() > self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A set as written; `problems` are those of the document as a whole."""

    policies: tuple[DraftPolicy, ...]
    unpinned_hosts: UnpinnedHosts = UnpinnedHosts.ALLOW
    problems: tuple[str, ...] = ()


def covering(
    host: str, by_host: Mapping[str, DraftPolicy], *, without: str = ""
) -> DraftPolicy | None:
    """The policy that a normalised host falls under, as `PinSet.policy_for` decides.

    `without` is the host of a policy that is thought away.
    """
    for name in suffixes(host):
        policy = by_host.get(name) if name != without else None
        if policy is not None and (name == host or policy.include_subdomains):
            out = any(host == each or host.endswith(f".{each}") for each in policy.exclude)
            return None if out else policy
    return None


def draft_of(pins: PinSet) -> Draft:
    """The draft of a set that is in order."""
    return Draft(
        policies=tuple(_draft_of_policy(policy) for policy in pins.policies),
        unpinned_hosts=pins.unpinned_hosts,
    )


def _draft_of_policy(policy: PinPolicy) -> DraftPolicy:
    return DraftPolicy(
        host=policy.host,
        keys=tuple(_draft_of_key(key) for key in policy.keys),
        mode=policy.mode,
        include_subdomains=policy.include_subdomains,
        exclude=policy.exclude,
        expires=policy.expires,
        on_expiry=policy.on_expiry,
        report_uri=policy.report_uri,
        allow_no_backup=policy.allow_no_backup,
        policy=policy,
    )


def _draft_of_key(key: PinnedKey) -> DraftKey:
    return DraftKey(
        role=key.role,
        text=str(key.pin),
        pin=key.pin,
        kind=key.kind,
        comment=key.comment,
        owner=key.owner,
        expires=key.expires,
    )


def read_draft(text: str, *, json: bool = False, where: str = "pin set") -> Draft:
    """The draft in a document, TOML or JSON.

    Raises `PinSetError`, whose message begins with `where`, only if the text is no such
    document or holds no policy.
    """
    try:
        data = json_module.loads(text) if json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PinSetError(f"{where}: is not {'JSON' if json else 'TOML'}: {error}") from None
    tables = data.get("policy") if isinstance(data, dict) else None
    if not isinstance(tables, list) or not tables:
        raise PinSetError(f"{where}: holds no [[policy]]")
    if len(tables) > _MOST_POLICIES:
        raise PinSetError(f"{where}: holds more than {_MOST_POLICIES:,} policies")
    rest = {key: value for key, value in data.items() if key != "policy"}
    return Draft(
        policies=tuple(
            _read_policy(table, f"policy {number}") for number, table in enumerate(tables, 1)
        ),
        unpinned_hosts=_word(rest, "unpinned_hosts", UnpinnedHosts) or UnpinnedHosts.ALLOW,
        problems=(
            *(_json_problems(text) if json else ()),
            *(
                each
                for key, value in rest.items()
                for each in _problems({key: value, "policy": [_HARMLESS]})
            ),
        ),
    )


def _json_problems(text: str) -> tuple[str, ...]:
    """Why clients refuse JSON that can be read, such as for a key that stands twice."""
    try:
        read_object(text, "the set")
    except MalformedError as error:
        return (_WHOSE.sub("", str(error), count=1),)
    return ()


# Keys that mean something beside others only.
_TOGETHER = frozenset({*ROLE_KEYS.values(), "exclude", "expires"})

# A policy with nothing wrong, with which the keys around policies can be tried.
_HARMLESS = {
    "host": "pinned.example",
    "mode": "report-only",
    "ca_pins": [str(Pin.of_spki(b"any key"))],
}


def _read_policy(table: object, number: str) -> DraftPolicy:
    if not isinstance(table, dict):
        return DraftPolicy(host=number, keys=(), problems=("is not a table",))
    read = {
        name: [(each, _read_key(each, role)) for each in _entries(table, name)]
        for role, name in ROLE_KEYS.items()
    }
    keys = tuple(key for pairs in read.values() for _, key in pairs)
    cleaned = table | {
        name: [each for each, key in pairs if key.why is None]
        for name, pairs in read.items()
        if isinstance(table.get(name, []), list)
    }
    bad = any(key.why is not None for key in keys)
    policy = None if bad else _policy_of(cleaned)
    problems = () if policy is not None else _all_problems(cleaned)
    # Bad pins have findings of their own; that they leave nothing behind is no second fault.
    if bad and not any(key.pin for key in keys if key.role in (PinRole.LEAF, PinRole.CA)):
        problems = tuple(each for each in problems if "pins nothing" not in each)
    host, rotation = table.get("host"), table.get("rotation")
    return DraftPolicy(
        host=_host(host) if isinstance(host, str) and host else number,
        keys=keys,
        mode=_word(table, "mode", Mode),
        include_subdomains=table.get("include_subdomains") is True,
        exclude=tuple(_host(each) for each in _entries(table, "exclude") if isinstance(each, str)),
        expires=_day(table.get("expires")),
        on_expiry=_word(table, "on_expiry", OnExpiry),
        report_uri=_text(table, "report_uri"),
        allow_no_backup=table.get("allow_no_backup") is True,
        policy=policy,
        problems=problems,
        rotation=rotation if isinstance(rotation, dict) else None,
    )


def _all_problems(table: Mapping[str, Any]) -> tuple[str, ...]:
    """What the strict reader says of each key alone, and then of all that are in order."""
    host = table.get("host")
    whole: dict[str, Any] = dict(_HARMLESS)
    if isinstance(host, str) and _is_host(host):
        whole["host"] = host
    found: list[str] = []
    for key in ("host", "mode"):
        if key not in table:
            found += _problems({"policy": [{k: v for k, v in whole.items() if k != key}]})
    alone = {key: value for key, value in table.items() if key not in _TOGETHER}
    good = {key: value for key, value in table.items() if key in _TOGETHER}
    for key, value in alone.items():
        problems = _problems({"policy": [{**whole, key: value, "allow_no_backup": True}]})
        found += problems
        if not problems:
            good[key] = value
    del whole["ca_pins"]
    found += _problems({"policy": [{**whole, **good, "allow_no_backup": True}]})
    return tuple(dict.fromkeys(found))


def _is_host(text: str) -> bool:
    try:
        normalise_host(text)
    except MalformedError:
        return False
    return True


def _policy_of(table: Mapping[str, Any]) -> PinPolicy | None:
    """The policy as it would be, even if only for want of a backup it is refused."""
    try:
        policy = from_data({"policy": [{**table, "allow_no_backup": True}]}).policies[0]
    except PinwardenError:
        return None
    if table.get("allow_no_backup") is True or policy.pins(PinRole.BACKUP):
        return replace(policy, allow_no_backup=table.get("allow_no_backup") is True)
    return policy


def _problems(data: Mapping[str, Any]) -> tuple[str, ...]:
    """What the strict reader says of a document; it stops at the first fault."""
    try:
        PinSet(from_data(data).policies)
    except PinwardenError as error:
        return (_WHOSE.sub("", str(error), count=1),)
    return ()


def _read_key(entry: object, role: PinRole) -> DraftKey:
    table = entry if isinstance(entry, dict) else {"pin": entry}
    text = table.get("pin", "")
    if not isinstance(text, str):
        problem = f"pin {quoted(repr(text), 80)}: is not a string"
        return DraftKey(
            role=role, text=repr(text)[:80], pin=None, why=BadPin.MALFORMED, problem=problem
        )
    pin, why, problem = None, None, ""
    try:
        pin = parse_pin(text)
    except PinError as error:
        why, problem = error.why, str(error)
    return DraftKey(
        role=role,
        text=text,
        pin=pin,
        why=why,
        problem=problem,
        kind=_text(table, "kind"),
        comment=_text(table, "comment"),
        owner=_text(table, "owner"),
        expires=_day(table.get("expires")),
    )


def _host(text: str) -> str:
    try:
        return normalise_host(text)
    except MalformedError:
        return text


def _entries(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key, [])
    return value[:_MOST_KEYS] if isinstance(value, list) else []


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    return value if isinstance(value, str) else ""


def _word(table: Mapping[str, Any], key: str, words: type[_E]) -> _E | None:
    value = table.get(key)
    return words(value) if isinstance(value, str) and value in list(words) else None


def _day(value: object) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None
