"""What the commands that ask for policies share: the options, and the asking itself."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pinwarden.caa.climb import (
    CAAName,
    RelevantSet,
    climb_asking,
    climb_with,
    parse_caa_name,
    parse_names,
    read_names,
    why_not_applicable,
)
from pinwarden.cli.long_lists import progress_bar, seldom_collected
from pinwarden.errors import ConfigError, MalformedError

if TYPE_CHECKING:
    from pinwarden.caa.zone.zonefile import Zone
    from pinwarden.net.dns.contract import CAAResolver

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_TIMEOUT = 5.0
DEFAULT_PARALLEL = 100
_MOST_PARALLEL = 1000
# More than any list of names a person has; a file of another kind is refused early.
_LARGEST_LIST = 64 * 1024 * 1024
_LARGEST_ZONE = 64 * 1024 * 1024
# Fewer names than that are done before anybody could read a progress bar.
_WORTH_A_BAR = 20


@dataclass(frozen=True, slots=True)
class Asking:
    """What to ask and whom, as the command line says it."""

    names: tuple[CAAName, ...]
    resolvers: tuple[str, ...] = ()
    zone: Path | None = None
    origin: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    parallel: int = DEFAULT_PARALLEL


@dataclass(frozen=True, slots=True)
class Answer:
    """The relevant set of one name, as each resolver in turn (or the zone file) has it."""

    name: CAAName
    found: tuple[RelevantSet, ...]


def asking_options(command: F) -> F:
    """Adds NAME..., --names, --resolver, --zone, --origin, --timeout and --parallel."""
    for option in reversed(
        (
            click.argument("names", nargs=-1, metavar="[NAME]..."),
            click.option(
                "--names",
                "names_file",
                metavar="FILE",
                help="Names from a file, one a line; `-` reads stdin.",
            ),
            click.option(
                "--resolver",
                "resolvers",
                multiple=True,
                metavar="SERVER",
                help="Whom to ask: 127.0.0.1:5300, tls://HOST, https://HOST/dns-query; "
                "may be repeated [default: the system's].",
            ),
            click.option(
                "--zone",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Answer from a zone file instead of from DNS.",
            ),
            click.option("--origin", metavar="NAME", help="Where the zone file begins."),
            click.option(
                "--timeout",
                type=click.FloatRange(0, 300, min_open=True),
                default=DEFAULT_TIMEOUT,
                show_default=True,
                metavar="SECONDS",
                help="How long to wait for an answer.",
            ),
            click.option(
                "--parallel",
                type=click.IntRange(1, _MOST_PARALLEL),
                default=DEFAULT_PARALLEL,
                show_default=True,
                metavar="N",
                help="Names in work at the same time.",
            ),
        )
    ):
        command = option(command)
    return command


def asking_from(
    options: dict[str, Any], *, names_needed: bool = True, any_list: bool = False
) -> Asking:
    """Takes what `asking_options` added out of a command's options, and checks it.

    Raises `ConfigError` for a name that is none, for no name at all, and for a zone
    file together with a resolver. With `any_list` what is no name in a list of names is
    among the names, with its `problem`.
    """
    zone, resolvers = options.pop("zone"), options.pop("resolvers")
    origin = options.pop("origin")
    if zone is not None and resolvers:
        raise ConfigError("--zone and --resolver: choose one of them")
    if origin is not None and zone is None:
        raise ConfigError("--origin: means something with --zone only")
    return Asking(
        names=_names(options.pop("names"), options.pop("names_file"), names_needed, any_list),
        resolvers=tuple(resolvers),
        zone=zone,
        origin=origin,
        timeout=options.pop("timeout"),
        parallel=options.pop("parallel"),
    )


def _names(
    given: Sequence[str], file: str | None, needed: bool, any_list: bool
) -> tuple[CAAName, ...]:
    try:
        names = tuple(map(parse_caa_name, given))
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    if file is not None:
        text = _read_list(file)
        try:
            names += (read_names if any_list else parse_names)(text)
        except MalformedError as error:
            raise ConfigError(f"--names {file}: {error}") from error
    if needed and not names:
        if file is not None:
            raise ConfigError(f"--names {file}: holds no name", hint="write one name a line")
        raise ConfigError("no names given", hint="give NAME... or --names FILE")
    return names


def _read_list(file: str) -> str:
    if file != "-":
        return read_text(Path(file), "--names", _LARGEST_LIST)
    text = sys.stdin.read(_LARGEST_LIST + 1)
    if len(text) > _LARGEST_LIST:
        raise ConfigError(f"--names -: is longer than {_LARGEST_LIST:,} characters")
    return text


def read_text(path: Path, option: str, most: int) -> str:
    """A text file that the user named; raises `ConfigError`, subject first."""
    try:
        if path.stat().st_size > most:
            raise ConfigError(f"{option} {path}: is larger than {most:,} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{option} {path}: is not UTF-8 text") from error
    except OSError as error:
        raise ConfigError(f"{option} {path}: {error.strerror or error}") from error


def load_zone(path: Path, origin: str | None) -> Zone:
    """A zone file that the user named; raises `ConfigError` naming the line."""
    from pinwarden.caa.zone.zonefile import parse_zone

    try:
        return parse_zone(read_text(path, "--zone", _LARGEST_ZONE), origin)
    except MalformedError as error:
        hint = error.hint
        if origin is None and hint and "$ORIGIN" in hint:
            hint = "say --origin NAME, or write a line with $ORIGIN"
        raise ConfigError(f"--zone {path}: {error}", hint=hint) from error


async def policies(asking: Asking, *, quiet: bool = False) -> AsyncIterator[Answer]:
    """The relevant set of every name, in the order of the names.

    Names are worked on side by side, and each question is asked once for all of them.
    On a terminal a bar shows how far it is, unless `quiet`.
    """
    if asking.zone is not None:
        from pinwarden.caa.zone.zonefile import zone_look_up

        zone = load_zone(asking.zone, asking.origin)
        for name in asking.names:
            if not applicable(name):
                yield Answer(name, (RelevantSet(name.name),))
            else:
                yield Answer(name, (climb_with(name.name, lambda n: zone_look_up(zone, n)),))
        return
    if not any(map(applicable, asking.names)):
        for name in asking.names:
            yield Answer(name, (RelevantSet(name.name),))
        return
    async with opened_resolvers(asking) as resolvers:
        work = _Work(asking, resolvers)
        hidden = quiet or len(asking.names) < _WORTH_A_BAR or sys.stdout.isatty()
        with (
            seldom_collected(),
            progress_bar("names", len(asking.names), hidden=hidden) as advance,
        ):
            async for answer in work.answers(advance):
                yield answer


def applicable(name: CAAName) -> bool:
    """Whether this is a name that CAA governs at all."""
    return not (name.is_ip or name.problem) and why_not_applicable(name.name) is None


@asynccontextmanager
async def opened_resolvers(asking: Asking) -> AsyncIterator[tuple[CAAResolver, ...]]:
    """The resolvers that the user named, or the system's; `ConfigError` for none such."""
    from pinwarden.net.dns.resolver import open_resolver
    from pinwarden.net.dns.server import parse_server, system_servers
    from pinwarden.net.dns.system import open_system_resolver

    if not asking.resolvers:
        async with open_system_resolver(system_servers(), timeout=asking.timeout) as system:
            yield (system,)
        return
    try:
        servers = list(map(parse_server, asking.resolvers))
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    async with AsyncExitStack() as stack:
        yield tuple(
            [
                await stack.enter_async_context(open_resolver(server, timeout=asking.timeout))
                for server in servers
            ]
        )


class _Work:
    """Workers that take names from one list; answers leave in its order."""

    def __init__(self, asking: Asking, resolvers: Sequence[CAAResolver]) -> None:
        self._names = asking.names
        self._parallel = min(asking.parallel, len(asking.names))
        self._resolvers = resolvers
        self._next = iter(enumerate(self._names))
        self._done: dict[int, Answer] = {}
        self._wanted = 0
        self._ready = asyncio.Event()

    async def answers(self, advance: Callable[[int], None]) -> AsyncIterator[Answer]:
        """Every answer in turn; an error of a worker is raised here."""
        workers = [asyncio.create_task(self._worker()) for _ in range(self._parallel)]
        watcher = asyncio.gather(*workers)
        watcher.add_done_callback(lambda _: self._ready.set())
        try:
            for number in range(len(self._names)):
                while number not in self._done:
                    self._wanted = number
                    self._ready.clear()
                    if watcher.done():
                        await watcher
                    advance(number + len(self._done))
                    await self._ready.wait()
                yield self._done.pop(number)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, *workers, return_exceptions=True)

    async def _worker(self) -> None:
        for number, name in self._next:
            if not applicable(name):
                found: tuple[RelevantSet, ...] = (RelevantSet(name.name),)
            elif len(self._resolvers) == 1:
                found = (await climb_asking(name.name, self._resolvers[0].look_up),)
            else:
                found = tuple(
                    await asyncio.gather(
                        *(climb_asking(name.name, each.look_up) for each in self._resolvers)
                    )
                )
            self._done[number] = Answer(name, found)
            if number == self._wanted:
                self._ready.set()
