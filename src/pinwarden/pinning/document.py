"""Reading pin sets from documents: TOML for people, JSON for programs, one shape for both.

Keys that are not known are refused, since a misspelt one would be a rule that is not
kept.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from pinwarden.errors import MalformedError, PinwardenError, quoted
from pinwarden.names import display
from pinwarden.pinning.pin import PinError, parse_pin
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

__all__ = ["ROLE_KEYS", "Document", "from_data", "read"]

ROLE_KEYS = {
    PinRole.LEAF: "leaf_pins",
    PinRole.CA: "ca_pins",
    PinRole.BACKUP: "backup_pins",
    PinRole.FORBIDDEN: "forbidden_pins",
}
"""The key of a document under which the pins of each role stand."""

_SET_KEYS = {"policy", "unpinned_hosts", "comment", "owner"}
_POLICY_KEYS = {
    *ROLE_KEYS.values(),
    *("host", "include_subdomains", "exclude", "mode", "expires", "on_expiry"),
    *("report_uri", "allow_no_backup", "comment", "owner", "rotation"),
}
_PIN_KEYS = {"pin", "kind", "comment", "owner", "expires"}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHOWN = 200

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says: policies in their order, and what holds for the set as a whole."""

    policies: tuple[PinPolicy, ...]
    unpinned_hosts: UnpinnedHosts
    comment: str = ""
    owner: str = ""


def read(text: str, *, json: bool, where: str) -> Document:
    """Read a document; raises `PinSetError`, whose message begins with `where`."""
    where = display(where)
    try:
        data = read_object(text, where) if json else tomllib.loads(text)
    except MalformedError as error:
        raise PinSetError(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise PinSetError(f"{where}: is not TOML: {display(str(error), _SHOWN)}") from None
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
        comment=_text(table, "comment", "the set"),
        owner=_text(table, "owner", "the set"),
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
            for role, name in ROLE_KEYS.items()
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
    table = {"pin": data} if isinstance(data, str) else _table(data, who, _PIN_KEYS)
    text = _text(table, "pin", who)
    if not text:
        raise PinSetError(f"{who}: has an entry without a pin")
    try:
        pin = parse_pin(text)
    except PinError as error:
        raise PinSetError(f"{who}: {error}", hint=error.hint) from None
    return PinnedKey(
        pin,
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
            raise PinSetError(f"{who}: there is no key {quoted(str(key))}", hint=_near(key, keys))
    return data


def _near(key: str, keys: set[str]) -> str | None:
    from difflib import get_close_matches

    near = get_close_matches(key[:_SHOWN], sorted(keys), 1)
    return f"{near[0]} is one" if near else None


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
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PinSetError(f"{who}: {key} is not a date such as 2027-06-30")
    return value
