"""The sources of history that a command may ask, and the options that name them.

A command takes `history_options`, gives what click collected to `history_from`, and
calls `load_history`. Every import of adapters is inside a function: --help pays for none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pinwarden.cli.output import on_terminal, say
from pinwarden.cli.reading import config_option, parse_moment, store_option, store_url
from pinwarden.errors import ConfigError, MalformedError, OutsideError, StoreError, quoted

if TYPE_CHECKING:
    from pinwarden.errors import PinwardenError
    from pinwarden.issuances import PastIssuance
    from pinwarden.net.history.contract import HistorySource
    from pinwarden.net.http import HTTPClient

__all__ = [
    "History",
    "HistoryOptions",
    "compared_options",
    "history_from",
    "history_options",
    "load_history",
    "opened_sources",
]

F = TypeVar("F", bound=Callable[..., Any])

KEY_VARIABLES = ("PINWARDEN_CERTSPOTTER_KEY", "CERTSPOTTER_API_KEY")
_HINT = (
    "--source store, --source folder=DIR, --source crtsh or --source certspotter; may be repeated"
)
_URLS = {"crtsh": "https://crt.sh/", "certspotter": "https://api.certspotter.com/v1/"}
_KINDS = {
    "--source": "store, folder=DIR, crtsh or certspotter",
    "--with": "folder=DIR, crtsh or certspotter",
    "--from-history": "store, folder=DIR, crtsh or certspotter",
}
_LONGEST_KEY = 1024
_MOST_ISSUANCES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """Whom to ask for history, and for how much of it.

    `since` is the first moment wanted. Wanted are the issuances made since then, with
    `still_valid` also those made before that were valid then. `expired` says whether those
    that have ended by now are wanted too.
    """

    sources: tuple[str, ...]
    since: datetime | None
    at: datetime
    below: bool = False
    expired: bool = True
    still_valid: bool = False
    store: str | None = None
    config_file: Path | None = None
    contact: str | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the sources told: one value for each issuance, newest first.

    `failures` says, one error each, what could not be told: then the history has gaps.
    `notes` are for the person who reads the answer. `told` has, for each of `issuances`,
    what the single sources said of it.
    """

    issuances: list[PastIssuance]
    failures: list[PinwardenError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    told: list[tuple[PastIssuance, ...]] = field(default_factory=list)


def history_options(command: F) -> F:
    """The options of a command that asks for history; `history_from` takes them out."""
    return _with_options(command, "--source")


def compared_options(command: F) -> F:
    """The same where a source is what the store is compared with."""
    return _with_options(command, "--with")


def _with_options(command: F, flag: str) -> F:
    for option in reversed(
        (
            click.option(
                flag,
                "sources",
                multiple=True,
                metavar="SOURCE",
                help=f"{_KINDS[flag]}; may be repeated.",
            ),
            click.option(
                "--days", type=click.IntRange(1, 36_500), help="Only the last so many days."
            ),
            click.option("--since", metavar="DATE", help="Only what was issued since then."),
            store_option,
            config_option,
            click.option(
                "--contact", metavar="MAIL|URL", help="Whom a source's operator may write to."
            ),
            click.option(
                "--key-file",
                type=click.Path(path_type=Path, dir_okay=False),
                help="A file with the API key for Cert Spotter.",
            ),
        )
    ):
        command = option(command)
    return command


def history_from(
    options: dict[str, Any],
    *,
    at: datetime,
    days: int | None = None,
    below: bool = False,
    expired: bool = True,
    still_valid: bool = False,
    flag: str = "--source",
) -> HistoryOptions:
    """Take the options of `history_options` out of those that click collected.

    `days` is how far back to go where the person did not say; None is for ever.

    Raises `ConfigError` for options that contradict each other, or if no source is named.
    """
    sources = tuple(dict.fromkeys(options.pop("sources")))
    chosen, since = options.pop("days"), parse_moment(options.pop("since"), "--since")
    taken = HistoryOptions(
        sources=sources,
        since=_since(chosen, since, days, at),
        at=at,
        below=below,
        expired=expired,
        still_valid=still_valid,
        store=options.pop("store"),
        config_file=options.pop("config_file"),
        contact=options.pop("contact"),
        key_file=options.pop("key_file"),
    )
    if not sources:
        raise ConfigError(
            f"{flag}: nobody is named who could tell of history", hint=f"{flag} with {_KINDS[flag]}"
        )
    for each in sources:
        _split_source(each, flag)
    return taken


def _since(
    chosen: int | None, since: datetime | None, days: int | None, at: datetime
) -> datetime | None:
    if chosen is not None and since is not None:
        raise ConfigError("--days and --since: say the same, so give one of them")
    if since is not None and since > at:
        raise ConfigError(f"--since: {since:%Y-%m-%d} is in the future")
    reach = chosen or days
    return since or (None if reach is None else at - timedelta(days=reach))


def _split_source(text: str, flag: str = "--source") -> tuple[str, str]:
    """The kind of a source and what stands after the `=`."""
    kind, _, value = text.partition("=")
    wrong = None
    if kind == "folder":
        wrong = None if value else "names no folder"
    elif kind == "store":
        wrong = "takes its URL from --store" if value else None
    elif kind not in _URLS:
        wrong = "is no source of history"
    if wrong:
        raise ConfigError(f"{flag} {quoted(text)}: {wrong}", hint=f"{flag} with {_KINDS[flag]}")
    return kind, value


@asynccontextmanager
async def opened_sources(options: HistoryOptions) -> AsyncIterator[tuple[HistorySource, ...]]:
    """Every source that the options name, opened.

    Raises `ConfigError` for one that cannot be asked as it was named: a store that is not
    there, a URL that is not https, a missing contact or key.
    """
    async with AsyncExitStack() as stack:
        http: HTTPClient | None = None
        sources: list[HistorySource] = []
        for each in options.sources:
            kind, value = _split_source(each)
            if kind in _URLS and http is None:
                http = await stack.enter_async_context(_client(options))
            sources.append(await stack.enter_async_context(_source(kind, value, options, http)))
        yield tuple(sources)


def _source(
    kind: str, value: str, options: HistoryOptions, http: HTTPClient | None
) -> HistorySource:
    if kind == "folder":
        from pinwarden.net.history.folder import FolderSource

        folder = Path(value).expanduser()
        if not folder.is_dir():
            raise ConfigError(f"source {quoted(f'folder={value}')}: there is no such folder")
        return FolderSource(folder)
    if kind == "store":
        from pinwarden.cli.history_store import StoreSource

        return StoreSource(store_url(options.store, options.config_file))
    from pinwarden.net.address import verify_url
    from pinwarden.net.history.certspotter import CertSpotterSource
    from pinwarden.net.history.crtsh import CrtShSource

    assert http is not None
    url = value or _URLS[kind]
    verify_url(url, http.contact)
    if "?" in url or "#" in url:
        raise ConfigError(f"source {quoted(url)}: is more than the address of a service")
    url = url if url.endswith("/") else f"{url}/"
    if kind == "crtsh":
        return CrtShSource(http, url)
    return CertSpotterSource(http, url, key=_key(options.key_file))


def _client(options: HistoryOptions) -> HTTPClient:
    from pinwarden.config import CONTACT_VARIABLE, default_config_file, load_config
    from pinwarden.net.http import HTTPClient
    from pinwarden.net.politeness import Limits

    file = options.config_file
    if file is None and default_config_file().is_file():
        file = default_config_file()
    configured = load_config(file).contact if file is not None else None
    contact = options.contact or os.environ.get(CONTACT_VARIABLE) or configured
    # crt.sh takes long over a large domain, and allows one request a second.
    limits = Limits(timeout=120.0, attempts=4, patience=240.0, backoff_first=2.0, concurrency=1)
    return HTTPClient(contact, limits=limits)


def _key(file: Path | None) -> str | None:
    """The API key of a file, or of the environment; never of the command line."""
    from pinwarden.cli.files import read_file

    if file is not None:
        origin, raw = f"file {quoted(str(file))}", read_file(file, _LONGEST_KEY)
        text = raw.decode("ascii", "replace").strip()
    else:
        origin = next((each for each in KEY_VARIABLES if os.environ.get(each)), "")
        text = os.environ.get(origin, "").strip()
        if not text:
            return None
    if not text.isascii() or not text.isprintable() or not text or " " in text:
        raise ConfigError(f"{origin}: holds no API key", hint="one line of printable ASCII")
    return text


def load_history(names: Sequence[str], options: HistoryOptions) -> History:
    """Ask every source for every name (DNS names or IP addresses).

    Raises `ConfigError`; whatever else fails is in `failures` of the answer.
    """
    from pinwarden.net.history.contract import searched_name

    try:
        wanted = tuple(dict.fromkeys(searched_name(each) for each in names))
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    return asyncio.run(_load(wanted, options))


async def _load(names: Sequence[str], options: HistoryOptions) -> History:
    from pinwarden.net.history.joining import join_issuances, merge_issuances

    failures: list[PinwardenError] = []
    async with opened_sources(options) as sources:
        if on_terminal() and any(each.partition("=")[0] in _URLS for each in options.sources):
            # A large domain keeps them busy for minutes.
            say(f"asking {', '.join(each.description for each in sources)}")
        # One source at a time would make the slow one hold up the others.
        told = await asyncio.gather(*(_ask(each, names, options, failures) for each in sources))
        notes = list(dict.fromkeys(note for each in sources for note in each.notes))
    groups = join_issuances(issuance for each in told for issuance in each)
    return History(
        issuances=[merge_issuances(group) for group in groups],
        failures=failures,
        notes=notes,
        told=groups,
    )


async def _ask(
    source: HistorySource,
    names: Sequence[str],
    options: HistoryOptions,
    failures: list[PinwardenError],
) -> list[PastIssuance]:
    """What one source tells of all names; its failures are added to the others."""
    found: dict[PastIssuance, None] = {}
    for name in names:
        asked = source.search(
            name,
            below=options.below,
            since=options.since,
            expired=options.expired,
            at=options.at,
        )
        try:
            async for each in asked:
                if not _is_of_the_time(each, options):
                    continue
                # One certificate for two of the names is told twice.
                found[each] = None
                if len(found) >= _MOST_ISSUANCES:
                    raise OutsideError(
                        f"{source.description}: told of more than {_MOST_ISSUANCES} issuances",
                        target=source.description,
                    )
        except (OutsideError, StoreError, MalformedError) as error:
            failures.append(error)
    return list(found)


def _is_of_the_time(issuance: PastIssuance, options: HistoryOptions) -> bool:
    since = options.since
    return since is None or options.still_valid or issuance.not_before >= since
