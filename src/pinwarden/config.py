"""The configuration file: TOML, one table a topic, unknown keys refused.

The comments on the fields are the manual; `docs/configuration.md` is held to
them by a test.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Literal, get_args

import msgspec
import platformdirs

from pinwarden.config_channels import ChannelConfig
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.watch.watchlist import WatchItem, parse_watch_item, parse_watchlist

CONTACT_VARIABLE = "PINWARDEN_CONTACT"
STORE_VARIABLE = "PINWARDEN_STORE"


class LogsConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The `[logs]` table: which logs to follow, and how."""

    # Log lists (version 3 JSON): "chrome", "apple", HTTPS addresses or files.
    lists: tuple[str, ...] = ("chrome", "apple")
    # How often the lists are fetched again.
    refresh_minutes: float = 60
    # How often a log is asked for its newest tree head.
    poll_seconds: float = 20
    # How long one request may take, from the first byte sent to the last received.
    timeout_seconds: float = 30
    # Requests that may be under way to one host; adapts below this.
    parallel: int = 8


class CAAConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The `[caa]` table: how to observe the CAA policies of what is watched."""

    # How often every name is looked at. A CA may use an answer for 8 hours: looks
    # further apart leave times of which nothing can be said.
    interval_minutes: float = 60
    # Whom to ask: "192.0.2.1", "127.0.0.1:5300", "tls://HOST", "https://HOST/dns-query";
    # with several, all of them. None: those that the system has, as one.
    resolvers: tuple[str, ...] = ()
    # Names to observe besides those of `watch` and `watchlist`.
    names: tuple[str, ...] = ()
    # How long after a look that shows another policy the second one comes.
    confirm_seconds: float = 20
    # How long a name must be impossible to look up before there is an alert.
    patience_minutes: float = 30
    # How long one question may take.
    timeout_seconds: float = 5
    # Names in work at the same time.
    parallel: int = 50


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole configuration file."""

    # Whom a log operator may write to: an e-mail or https address. Sent in the
    # User-Agent; without one, logs give the slowest service or none.
    contact: str | None = None
    # Names and addresses to watch: "www.example.com", ".example.com" (and all
    # below), "192.0.2.0/24".
    watch: tuple[str, ...] = ()
    # A file of more of them, one a line; read again when it changes.
    watchlist: str | None = None
    # Where a first run begins: "now" or "beginning". Logs that appear later are
    # always read from their beginning.
    start: Literal["now", "beginning"] = "now"
    # Where sightings and positions are kept.
    store: str | None = None
    logs: LogsConfig = msgspec.field(default_factory=LogsConfig)
    # Without this table CAA policies are not observed.
    caa: CAAConfig | None = None
    # Where alerts go; at least one.
    channels: tuple[ChannelConfig, ...] = ()


def default_config_file() -> Path:
    """The file that is read when none is named."""
    return platformdirs.user_config_path("pinwarden") / "config.toml"


def default_store() -> str:
    """The store that is used when none is named."""
    return f"sqlite:///{platformdirs.user_state_path('pinwarden') / 'pinwarden.db'}"


def load_config(file: Path) -> Config:
    """Read a configuration file. Raises ConfigError in one line that names the file and key."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"configuration {quoted(str(file))}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"configuration {quoted(str(file))}: not UTF-8 text") from error
    try:
        config = msgspec.convert(tomllib.loads(text), Config, strict=True)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"configuration {quoted(str(file))}: not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise _explained(file, str(error)) from error
    _check_numbers(file, "logs", config.logs)
    if config.caa is not None:
        _check_numbers(file, "caa", config.caa)
    return config


HOW_LARGE = "must be a finite number above zero, and at most 1,000,000,000"
_LARGEST = 1e9


def _check_numbers(file: Path, table: str, values: msgspec.Struct) -> None:
    for key, value in msgspec.structs.asdict(values).items():
        if isinstance(value, int | float) and not is_usable(value):
            raise ConfigError(f"configuration {quoted(str(file))}: {table}.{key}: {HOW_LARGE}")


def is_usable(number: float) -> bool:
    """Whether a number can be a time or a count; NaN cannot."""
    return 0 < number <= _LARGEST


_UNKNOWN = re.compile(
    r"Object contains unknown field `(?P<key>[^`]*)`(?: - at `\$\.?(?P<at>[^`]*)`)?"
)
_AT = re.compile(r" - at `\$\.?(?P<at>[^`]*)`$")


def _explained(file: Path, message: str) -> ConfigError:
    """The complaint of msgspec in our voice, with the nearest known key for a mistyped one."""
    unknown = _UNKNOWN.match(message)
    if unknown is None:
        at = _AT.search(message)
        where = f"{at['at']}: " if at and at["at"] else ""
        what = _AT.sub("", message)
        return ConfigError(
            f"configuration {quoted(str(file))}: {where}{what[:1].lower()}{what[1:]}"
        )
    key, at_path = unknown["key"], unknown["at"] or ""
    near = difflib.get_close_matches(key, _keys_at(at_path) - {key}, 1)
    where = f" in {at_path}" if at_path else ""
    return ConfigError(
        f"configuration {quoted(str(file))}: unknown key {quoted(key)}{where}",
        hint=f"did you mean '{near[0]}'?" if near else None,
    )


def _keys_at(path: str) -> set[str]:
    """The keys that a table of the file may have."""
    tables: tuple[type[msgspec.Struct], ...] = (Config,)
    if path == "logs":
        tables = (LogsConfig,)
    elif path == "caa":
        tables = (CAAConfig,)
    elif path.startswith("channels"):
        tables = get_args(ChannelConfig)
    return {field.encode_name for table in tables for field in msgspec.structs.fields(table)}


def load_watchlist(file: Path) -> tuple[WatchItem, ...]:
    """Read a watch list file. Raises ConfigError naming the file and line."""
    try:
        return parse_watchlist(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"watch list {quoted(str(file))}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"watch list {quoted(str(file))}: not UTF-8 text") from error
    except MalformedError as error:
        raise ConfigError(f"watch list {quoted(str(file))}: {error}", hint=error.hint) from error


def watched_items(names: tuple[str, ...], where: str) -> tuple[WatchItem, ...]:
    """Watch items given one by one; `where` says by whom. Raises ConfigError."""
    try:
        return tuple(parse_watch_item(name) for name in names)
    except MalformedError as error:
        raise ConfigError(f"{where}: {error}", hint=error.hint) from error
