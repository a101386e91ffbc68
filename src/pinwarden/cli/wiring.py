"""From command line and configuration file to what a run needs, or one clear line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pinwarden.config import (
    CONTACT_VARIABLE,
    HOW_LARGE,
    STORE_VARIABLE,
    CAAConfig,
    Config,
    LogsConfig,
    default_config_file,
    default_store,
    is_usable,
    load_config,
    load_watchlist,
    watched_items,
)
from pinwarden.config_channels import ChannelConfig, StdoutConfig, verify_channel_names
from pinwarden.errors import ConfigError, MalformedError, StoreError, quoted
from pinwarden.store.contract import Store
from pinwarden.watch.watchlist import WatchItem, Watchlist

_HOW_TO_WATCH = "name it: pinwarden watch .example.com   ('.' in front: and everything below it)"

_HOW_TO_OBSERVE = "name it: pinwarden caa watch example.com   (or write it in the configuration)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """What the command line said; None or empty where it said nothing.

    With `caa_only` there need be nothing whose certificates are watched, and CAA is
    observed whether or not the configuration says so.
    """

    names: tuple[str, ...] = ()
    config: Path | None = None
    watchlist: Path | None = None
    store: str | None = None
    log_list: tuple[str, ...] = ()
    start: str | None = None
    contact: str | None = None
    as_json: bool = False
    caa_only: bool = False
    resolvers: tuple[str, ...] = ()
    interval_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CAAPlan:
    """Whose CAA policies are observed, in which names of CAA, and how."""

    names: tuple[str, ...]
    how: CAAConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run of `watch` does; `files` are those whose change means a reload.

    `caa` is None where CAA policies are not observed.
    """

    watchlist: Watchlist
    channels: tuple[ChannelConfig, ...]
    contact: str | None
    store: str
    from_beginning: bool
    logs: LogsConfig
    caa: CAAPlan | None
    files: tuple[Path, ...]


def make_plan(options: WatchOptions) -> Plan:
    """Join command line and configuration file. Raises ConfigError."""
    file = options.config
    if file is None and default_config_file().is_file():
        file = default_config_file()
    config = load_config(file) if file is not None else Config()
    lists = _watchlist_files(options, config, file)
    items = (
        *watched_items(options.names, "command line"),
        *watched_items(config.watch, f"configuration {quoted(str(file))}: watch"),
        *(item for each in lists for item in load_watchlist(each)),
    )
    caa = _caa(options, config, items, file)
    if not items and not (options.caa_only and caa is not None and caa.names):
        hint = _HOW_TO_OBSERVE if options.caa_only else _HOW_TO_WATCH
        raise ConfigError("nothing to watch", hint=hint)
    logs = config.logs
    if options.log_list:
        logs = _with_lists(logs, options.log_list)
    return Plan(
        watchlist=Watchlist(items),
        channels=_channels(options, config, file),
        contact=options.contact or os.environ.get(CONTACT_VARIABLE) or config.contact,
        store=options.store or os.environ.get(STORE_VARIABLE) or _store(config, file),
        from_beginning=(options.start or config.start) == "beginning",
        logs=logs,
        caa=caa,
        files=tuple(each for each in (file, *lists) if each is not None),
    )


def _caa(
    options: WatchOptions, config: Config, items: Iterable[WatchItem], file: Path | None
) -> CAAPlan | None:
    """Every watched name, and those that the configuration adds, as far as CAA governs them."""
    from pinwarden.caa.climb import why_not_applicable

    how = config.caa
    if how is None:
        if not options.caa_only:
            return None
        how = CAAConfig()
    names = [".".join(reversed(item.labels)) for item in items if item.labels]
    if how.names:
        names += _caa_names(how.names, f"configuration {quoted(str(file))}: caa.names")
    governed = (name for name in dict.fromkeys(names) if why_not_applicable(name) is None)
    return CAAPlan(names=tuple(governed), how=_asked_for(how, options))


def _caa_names(texts: Iterable[str], where: str) -> list[str]:
    from pinwarden.caa.climb import parse_caa_name

    names = []
    for text in texts:
        try:
            name = parse_caa_name(text)
        except MalformedError as error:
            raise ConfigError(f"{where}: {error}", hint=error.hint) from error
        if name.is_ip:
            raise ConfigError(f"{where}: {quoted(text)}: there is no CAA for an address")
        names.append(name.name)
    return names


def _asked_for(how: CAAConfig, options: WatchOptions) -> CAAConfig:
    import msgspec

    from pinwarden.net.dns.server import parse_server

    if options.resolvers:
        how = msgspec.structs.replace(how, resolvers=options.resolvers)
    if options.interval_minutes is not None:
        if not is_usable(options.interval_minutes):
            raise ConfigError(f"--interval: {HOW_LARGE}")
        how = msgspec.structs.replace(how, interval_minutes=options.interval_minutes)
    for text in how.resolvers:
        try:
            parse_server(text)
        except MalformedError as error:
            raise ConfigError(f"resolver: {error}", hint=error.hint) from error
    return how


def _with_lists(logs: LogsConfig, lists: Iterable[str]) -> LogsConfig:
    import msgspec

    return msgspec.structs.replace(logs, lists=tuple(lists))


def _watchlist_files(options: WatchOptions, config: Config, file: Path | None) -> tuple[Path, ...]:
    named = [options.watchlist] if options.watchlist is not None else []
    if config.watchlist is not None and file is not None:
        # As a person would expect: beside the file that names it.
        named.append(file.parent / Path(config.watchlist).expanduser())
    return tuple(named)


def _store(config: Config, file: Path | None) -> str:
    """The configured store; a relative SQLite path is beside the configuration file."""
    url = config.store or default_store()
    if config.store is None or file is None or not url.startswith("sqlite:///"):
        return url
    path = url.removeprefix("sqlite:///")
    if path.startswith((":memory:", "/")):
        return url
    return f"sqlite:///{file.parent.resolve() / Path(path).expanduser()}"


def _channels(
    options: WatchOptions, config: Config, file: Path | None
) -> tuple[ChannelConfig, ...]:
    """Where alerts go. A quiet start without any channel would be the worst of all."""
    if file is None:
        return (StdoutConfig(format="json" if options.as_json else "text"),)
    if not config.channels:
        raise ConfigError(
            f"configuration {quoted(str(file))}: no channel, so no alert could reach anybody",
            hint='add one, for example: [[channels]] with type = "stdout"',
        )
    verify_channel_names(config.channels)
    if not options.as_json:
        return config.channels
    return in_json(config.channels)


def in_json(channels: tuple[ChannelConfig, ...]) -> tuple[ChannelConfig, ...]:
    """The same channels, with what they write to standard output as JSON lines."""
    return tuple(
        StdoutConfig(name=each.name, format="json", group=each.group, timeout=each.timeout)
        if isinstance(each, StdoutConfig)
        else each
        for each in channels
    )


def configured_store(config_file: Path | None) -> str:
    """The store that the configuration names, or the default one."""
    file = config_file
    if file is None and default_config_file().is_file():
        file = default_config_file()
    config = load_config(file) if file is not None else Config()
    return os.environ.get(STORE_VARIABLE) or _store(config, file)


async def opened_store(url: str, *, create: bool = True) -> Store:
    """The store of a URL. Raises ConfigError: one that cannot be opened is for the user to mend."""
    from pinwarden.store.store import open_store

    try:
        return await open_store(url, create=create)
    except StoreError as error:
        raise ConfigError(str(error), hint=error.hint) from error
