"""Changes to one policy in a pin set file, with all that people wrote around it kept.

The text is changed in place, read again, and compared with what was meant: a file that
would say anything else is not written.
"""

from __future__ import annotations

import difflib
import importlib
import json as json_module
import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array

from pinwarden.cli.files import read_file
from pinwarden.cli.pin.pin_sets import LARGEST_SET
from pinwarden.cli.pin.writing import write_file
from pinwarden.errors import ConfigError, PinwardenError, quoted
from pinwarden.pinning.document import ROLE_KEYS
from pinwarden.pinning.host import normalise_host
from pinwarden.pinning.pin import parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy
from pinwarden.pinning.rotation.edits import Edit, NewKey
from pinwarden.pinning.rotation.state import Rotation, parse_rotation
from pinwarden.pinning.rotation.steps import Change

__all__ = ["PinFile", "diff_of"]


class PinFile:
    """A pin set file as it was read, and the changes to it."""

    def __init__(self, path: Path) -> None:
        """Reads the file; raises `ConfigError` if it is not a pin set that clients accept."""
        self.path = path
        self._read = read_file(path, LARGEST_SET)
        self._json = path.name.lower().endswith(".json")
        try:
            text = self._read.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigError(f"pin set {quoted(str(path))}: is not UTF-8 text") from None
        # As editors on Windows write it; it is edited with plain line ends.
        self._marked = self._read.startswith(BOM_UTF8)
        self._with_returns = 0 < text.count("\r\n") == text.count("\n")
        self.text = text.replace("\r\n", "\n") if self._with_returns else text
        self.pins = self._parsed(self.text)

    def _parsed(self, text: str) -> PinSet:
        return PinSet.parse(text, json=self._json, where=str(self.path))

    def policy(self, host: str | None) -> PinPolicy:
        """The policy that a host falls under, or the only one; raises `ConfigError`."""
        policies = self.pins.policies
        if host is None:
            if len(policies) > 1:
                raise ConfigError(
                    f"pin set {quoted(str(self.path))}: has {len(policies)} policies",
                    hint="name one with --host",
                )
            return policies[0]
        try:
            name = normalise_host(host)
        except PinwardenError as error:
            raise ConfigError(f"--host: {error}", hint=error.hint) from None
        policy = self.pins.policy_for(name)
        if policy is not None:
            return policy
        raise ConfigError(
            f"--host {quoted(host)}: falls under no policy in {quoted(str(self.path))}",
            hint=f"it has {', '.join(each.host for each in policies[:10])}",
        )

    def rotation(self, policy: PinPolicy) -> Rotation | None:
        """The rotation under way; raises `ConfigError` if its table cannot be read."""
        table = _policy_in(self._document(self.text), policy.host).get("rotation")
        if table is None:
            return None
        try:
            if not isinstance(table, dict):
                raise ConfigError("rotation: is not a table")
            return parse_rotation(_plain(table))
        except PinwardenError as error:
            raise ConfigError(f"{self.path}: policy {quoted(policy.host)}: {error}") from None

    def changed(self, policy: PinPolicy, change: Change) -> str:
        """The text of the file after a change; raises `ConfigError` if it cannot be made."""
        try:
            text = self._edited(policy, change)
        except (ValueError, TypeError, LookupError, TOMLKitError):
            raise self._cannot_be_edited() from None
        self._refuse_other_meaning(text, policy, change)
        return text

    def _edited(self, policy: PinPolicy, change: Change) -> str:
        document = self._document(self.text)
        table = _policy_in(document, policy.host)
        for edit in change.edits:
            _edit(table, edit)
        if change.rotation is None:
            table.pop("rotation", None)
        else:
            # A table that is put in anew would leave the place that its author gave it.
            if table.get("rotation") is None:
                table["rotation"] = {}
            _refill(table["rotation"], change.rotation.table(), json=self._json)
        return self._written(document)

    def _cannot_be_edited(self) -> ConfigError:
        return ConfigError(
            f"pin set {quoted(str(self.path))}: is laid out in a way that cannot be edited",
            hint="write each policy as a [[policy]] table of its own",
        )

    def take(self, text: str) -> None:
        """Go on with a changed text that `changed` gave."""
        self.text = text
        self.pins = self._parsed(text)

    def save(self) -> None:
        """Write the text in place of the file, whole or not at all.

        Raises `ConfigError` if somebody else has changed the file since it was read.
        """
        target = self.path.resolve()
        text = self.text.replace("\n", "\r\n") if self._with_returns else self.text
        text = f"\ufeff{text}" if self._marked else text
        with _alone(target):
            if read_file(target, LARGEST_SET) != self._read:
                raise ConfigError(
                    f"pin set {quoted(str(self.path))}: was changed by somebody else meanwhile",
                    hint="run the command again",
                )
            write_file(str(target), text, force=True)
        self._read = text.encode("utf-8")

    def _document(self, text: str) -> Any:
        if self._json:
            return json_module.loads(text)
        # Its parser is another one than that which clients use, and stricter in places.
        try:
            return tomlkit.parse(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"pin set {quoted(str(self.path))}: cannot be edited: {error}"
            ) from None

    def _written(self, document: Any) -> str:
        if self._json:
            shown = json_module.dumps(document, indent=2, ensure_ascii=False, default=str)
            return f"{shown}\n"
        return tomlkit.dumps(document)

    def _refuse_other_meaning(self, text: str, policy: PinPolicy, change: Change) -> None:
        """Whatever the editing library made of an unusual layout, the pins must be right."""
        pins = self._parsed(text)
        meant = {each.host: _meaning(each) for each in self.pins.policies}
        meant[policy.host] = _meaning(change.policy)
        found = {each.host: _meaning(each) for each in pins.policies}
        table = _policy_in(self._document(text), policy.host).get("rotation")
        rotation = None if table is None else parse_rotation(_plain(table))
        if (found, rotation, pins.unpinned_hosts) != (
            meant,
            change.rotation,
            self.pins.unpinned_hosts,
        ):
            raise self._cannot_be_edited()


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Between the look at a file and its replacement no other of us does the same.

    Where there are no locks it is done without. Whoever waited for the lock of a file that
    was replaced meanwhile finds another one at its name, and so another text.
    """
    if os.name != "posix":
        yield
        return
    fcntl = importlib.import_module("fcntl")
    try:
        handle = os.open(target, os.O_RDONLY)
    except OSError as error:
        raise ConfigError(f"file {quoted(str(target))}: {error.strerror}") from None
    try:
        # Some file systems have no locks.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _meaning(policy: PinPolicy) -> object:
    """All of a policy but the order of its pins."""
    return (
        *(policy.host, policy.mode, policy.include_subdomains, policy.exclude, policy.expires),
        *(policy.on_expiry, policy.report_uri, policy.allow_no_backup, policy.comment),
        *(policy.owner, frozenset(policy.keys)),
    )


def diff_of(before: str, after: str, name: str) -> str:
    """What changes in a file, as a unified diff."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        name,
        f"{name} (changed)",
    )
    return "".join(lines)


def _policy_in(document: Any, host: str) -> Any:
    for table in document["policy"]:
        if normalise_host(str(table["host"])) == host:
            return table
    raise ConfigError(f"policy {quoted(host)}: cannot be found in the file")


def _edit(table: Any, edit: Edit) -> None:
    entry: Any = _entry(edit.key)
    if edit.source is not None:
        entry = _take(table[ROLE_KEYS[edit.source]], edit.key)
    if edit.target is not None:
        name = ROLE_KEYS[edit.target]
        if name not in table:
            table[name] = []
        if isinstance(table[name], AoT):
            table[name].append(entry if isinstance(entry, dict) else {"pin": entry})
        else:
            table[name].append(_inline(entry) if isinstance(table[name], Array) else entry)
        _one_a_line(table, name)


def _inline(entry: Any) -> Any:
    """An entry with notes, laid out as people write it."""
    if not isinstance(entry, dict):
        return entry
    table = tomlkit.inline_table()
    for name, value in entry.items():
        table.append(name, value)
    return table


def _one_a_line(table: Any, name: str) -> None:
    """Give a list that was on one line a line for each pin, as soon as it has several."""
    entries = table[name]
    if not isinstance(entries, Array) or len(entries) < 2 or "\n" in entries.as_string():
        return
    laid_out = tomlkit.array()
    laid_out.extend(_inline(_plain(each)) for each in entries)
    table[name] = laid_out.multiline(True)


def _take(entries: Any, key: NewKey) -> Any:
    """Remove every entry with a pin, and give the first."""
    found = None
    for index in reversed(range(len(entries))):
        entry = entries[index]
        text = entry["pin"] if isinstance(entry, dict) else entry
        if parse_pin(str(text)) == key.pin:
            found = _plain(entry)
            del entries[index]
    return found


def _entry(key: NewKey) -> Any:
    notes = {
        "kind": key.kind,
        "comment": key.comment,
        "expires": key.expires,
    }
    given = {name: value for name, value in notes.items() if value}
    return {"pin": str(key.pin), **given} if given else str(key.pin)


def _refill(table: Any, values: dict[str, object], *, json: bool) -> None:
    for name in [name for name in table if name not in values]:
        del table[name]
    for name, value in values.items():
        plain = str(value) if json and isinstance(value, date) else value
        if name not in table or _plain(table[name]) != plain:
            table[name] = plain


def _plain(item: Any) -> Any:
    """A value without what the editing library hangs on it."""
    unwrap = getattr(item, "unwrap", None)
    return unwrap() if unwrap is not None else item
