"""Pin sets as documents: TOML for people, JSON for programs, one shape for both.

Keys that are not known are refused, since a misspelt one would be a rule that is not
kept.
"""

from __future__ import annotations

import json as json_module
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pinwarden.errors import PinwardenError, quoted
from pinwarden.pinning.pin import parse_pin
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinnedKey,
    PinPolicy,
    PinRole,
    PinSetError,
    UnpinnedHosts,
)

_ROLES = {
    "ca_pins": PinRole.CA,
    "leaf_pins": PinRole.LEAF,
    "backup_pins": PinRole.BACKUP,
    "forbidden_pins": PinRole.FORBIDDEN,
}
_SET_KEYS = {"policy", "unpinned_hosts", "comment", "owner"}
_POLICY_KEYS = {
    *_ROLES,
    *("host", "include_subdomains", "exclude", "mode", "expires", "on_expiry"),
    *("report_uri", "allow_no_backup", "comment", "owner", "rotation"),
}
_PIN_KEYS = {"pin", "kind", "comment", "owner", "expires"}

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says."""

    policies: tuple[PinPolicy, ...]
    unpinned_hosts: UnpinnedHosts


def read(text: str, *, json: bool, where: str) -> Document:
    """Read a document; raises `PinSetError`, whose message begins with `where`."""
    try:
        data = json_module.loads(text) if json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PinSetError(f"{where}: is not {'JSON' if json else 'TOML'}: {error}") from None
    try:
        return from_data(data)
    except PinwardenError as error:
        raise PinSetError(f"{where}: {error}", hint=error.hint) from None


def from_data(data: object) -> Document:
    """The document in a parsed mapping; raises `PinwardenError`."""
    table = _table(data, "the set", _SET_KEYS)
    policies = table.get("policy", [])
    if not isinstance(policies, list) or not policies:
        raise PinSetError("holds no [[policy]]")
    return Document(
        tuple(_policy(each, f"policy {number}") for number, each in enumerate(policies, 1)),
        _word(table, "unpinned_hosts", UnpinnedHosts, "the set") or UnpinnedHosts.ALLOW,
    )


def _policy(data: object, who: str) -> PinPolicy:
    table = _table(data, who, _POLICY_KEYS)
    host = _text(table, "host", who)
    if not host:
        raise PinSetError(f"{who}: names no host")
    who = f"policy {quoted(host)}"
    mode = _word(table, "mode", Mode, who)
    if mode is None:
        raise PinSetError(
            f"{who}: does not say its mode", hint='mode = "enforce" or mode = "report-only"'
        )
    return PinPolicy(
        host=host,
        mode=mode,
        keys=tuple(
            _key(each, role, f"{who}: {name}")
            for name, role in _ROLES.items()
            for each in _list(table, name, who)
        ),
        include_subdomains=_flag(table, "include_subdomains", who),
        exclude=tuple(_strings(table, "exclude", who)),
        expires=_date(table, "expires", who),
        on_expiry=_word(table, "on_expiry", OnExpiry, who),
        report_uri=_text(table, "report_uri", who),
        allow_no_backup=_flag(table, "allow_no_backup", who),
        comment=_text(table, "comment", who),
        owner=_text(table, "owner", who),
    )


def _key(data: object, role: PinRole, who: str) -> PinnedKey:
    if isinstance(data, str):
        return PinnedKey(parse_pin(data), role)
    table = _table(data, who, _PIN_KEYS)
    return PinnedKey(
        parse_pin(_text(table, "pin", who)),
        role,
        kind=_text(table, "kind", who),
        comment=_text(table, "comment", who),
        owner=_text(table, "owner", who),
        expires=_date(table, "expires", who),
    )


def _table(data: object, who: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise PinSetError(f"{who}: is not a table")
    for key in data:
        if key not in keys:
            raise PinSetError(f"{who}: has no key {quoted(str(key))}")
    return data


def _text(table: Mapping[str, Any], key: str, who: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise PinSetError(f"{who}: {key} is not a string")
    return value


def _flag(table: Mapping[str, Any], key: str, who: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise PinSetError(f"{who}: {key} is not true or false")
    return value


def _list(table: Mapping[str, Any], key: str, who: str) -> list[Any]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise PinSetError(f"{who}: {key} is not a list")
    return value


def _strings(table: Mapping[str, Any], key: str, who: str) -> list[str]:
    value = _list(table, key, who)
    if not all(isinstance(each, str) for each in value):
        raise PinSetError(f"{who}: {key} is not a list of strings")
    return value


def _word(table: Mapping[str, Any], key: str, words: type[_E], who: str) -> _E | None:
    value = table.get(key)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        allowed = ", ".join(quoted(each) for each in words)
        raise PinSetError(f"{who}: {key} is not one of {allowed}") from None


def _date(table: Mapping[str, Any], key: str, who: str) -> date | None:
    value = table.get(key)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value)
    except ValueError:
        pass
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PinSetError(f"{who}: {key} is not a date such as 2027-06-30")
    return value


def to_toml(policies: Iterable[PinPolicy], unpinned_hosts: UnpinnedHosts) -> str:
    """Write a document in TOML."""
    raise NotImplementedError


def to_json(policies: Iterable[PinPolicy], unpinned_hosts: UnpinnedHosts) -> str:
    """Write a document in JSON."""
    raise NotImplementedError
