"""Writing pin sets as documents: what `pinning.document` reads again to an equal set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pinwarden.pinning.document import ROLE_KEYS, Document
from pinwarden.pinning.policy import PinnedKey, PinPolicy

__all__ = ["to_json", "to_toml"]

_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def to_json(document: Document) -> str:
    """The document in JSON, in ASCII, with a newline at its end."""
    return json.dumps(_plain(document), indent=2, default=date.isoformat) + "\n"


def to_toml(document: Document) -> str:
    """The document in TOML, one pin a line.

    Characters that do not show are escaped, so that nothing in a file can look like
    something else than it is.
    """
    plain = _plain(document)
    policies = plain.pop("policy")
    blocks = ["".join(_lines(plain))] if plain else []
    blocks += ["".join(("[[policy]]\n", *_lines(policy))) for policy in policies]
    return "\n".join(blocks)


def _plain(document: Document) -> dict[str, Any]:
    """The document as values that JSON and TOML know, dates apart."""
    head = {
        "comment": document.comment,
        "owner": document.owner,
        "unpinned_hosts": str(document.unpinned_hosts),
    }
    return {**_said(head), "policy": [_policy(each) for each in document.policies]}


def _policy(policy: PinPolicy) -> dict[str, Any]:
    return _said(
        {
            "host": policy.host,
            "include_subdomains": policy.include_subdomains,
            "exclude": list(policy.exclude),
            "comment": policy.comment,
            "owner": policy.owner,
            "mode": str(policy.mode),
            "expires": policy.expires,
            "on_expiry": None if policy.on_expiry is None else str(policy.on_expiry),
            "report_uri": policy.report_uri,
            "allow_no_backup": policy.allow_no_backup,
            **{
                name: [_key(key) for key in policy.keys if key.role is role]
                for role, name in ROLE_KEYS.items()
            },
        }
    )


def _key(key: PinnedKey) -> str | dict[str, Any]:
    notes = _said(
        {"kind": key.kind, "comment": key.comment, "owner": key.owner, "expires": key.expires}
    )
    return {"pin": str(key.pin), **notes} if notes else str(key.pin)


def _said(table: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is as it is when nothing is said."""
    return {key: value for key, value in table.items() if value not in (None, "", False, [])}


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, list):
            yield f"{key} = [\n"
            yield from (f"  {_value(each)},\n" for each in value)
            yield "]\n"
        else:
            yield f"{key} = {_value(value)}\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return '"' + "".join(map(_character, value)) + '"'


def _character(character: str) -> str:
    """As a basic string of TOML has it."""
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    return f"\\u{ord(character):04X}" if character <= "\uffff" else f"\\U{ord(character):08X}"
