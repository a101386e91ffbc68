"""Pins that move without a release: a source of signed bundles behind a program's contexts.

    source = BundleSource(
        "https://pins.example.net/shop.json",
        name="shop", keys=["RW…", "RW…", "RW…"], threshold=2,
        initial=SHIPPED, cache="/var/lib/shop/pins.json", when_stale="closed",
    )
    source.start()
    context = PinnedContext(source.live)

A request never waits for a bundle: what is in force is in memory, and newer bundles are
fetched by a thread of their own, or by whoever calls `refresh`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from pinwarden.clients.bundle_cache import BundleCache
from pinwarden.clients.bundle_fetch import URLFetch, within
from pinwarden.clients.bundle_thread import AskingThread
from pinwarden.clients.bundle_update import BundleState, Outcome, Update, WhenStale
from pinwarden.clients.live import LivePins
from pinwarden.errors import ConfigError, OutsideError, PinwardenError, StoreError, quoted
from pinwarden.pinning.bundle import (
    BundleFile,
    KeySet,
    parse_bundle_file,
    verify_bundle_name,
)
from pinwarden.pinning.bundle_pins import ClosingPins, NoPinsYet
from pinwarden.pinning.bundle_trust import Accepted, BundleRefusedError, Refusal, Trust, accept
from pinwarden.pinning.minisign import PublicKey, parse_public_key
from pinwarden.pinning.pinset import PinSet

__all__ = ["BundleSource", "BundleState", "Outcome", "Update", "WhenStale"]

_log = logging.getLogger("pinwarden.bundles")

_SECONDS = 20.0
_EVERY = 3600.0
_SKEW = timedelta(days=1)


class BundleSource:
    """Fetches bundles, believes those that are signed and newer, and puts them in force.

    `live` is what contexts are made of. Any thread may call the methods.
    """

    def __init__(
        self,
        where: str | Callable[[], bytes],
        *,
        name: str,
        keys: Iterable[str | PublicKey],
        threshold: int,
        cache: str | os.PathLike[str] | None,
        when_stale: WhenStale | str,
        initial: PinSet | bytes | None = None,
        floor: int = 1,
        cafile: str | None = None,
        seconds: float = _SECONDS,
        on_update: Callable[[Update], object] | None = None,
    ) -> None:
        """Reads the cache; asks nobody yet.

        `where` is an https address or a function that returns a bundle's file. `name` is
        the only name of bundles that is taken, `keys` are minisign public keys of which
        `threshold` must sign. `cache` names a file; with None a restart forgets how far the
        versions had come. `initial` is in force until something newer is known: a signed
        bundle's file that ships with the program, or a pin set; with None every host is
        refused until a bundle came. `floor` is the lowest version that is ever taken.
        `seconds` is the longest that a refresh waits for an answer.

        Raises `ConfigError` or `MalformedError` for what makes no sense, and
        `BundleRefusedError` if the bundle that ships with the program is not to be believed.
        """
        verify_bundle_name(name)
        if not seconds > 0:
            raise ConfigError("bundle source: waits for seconds, more than none")
        self._fetch = _fetching(where, name, cafile=cafile, seconds=seconds)
        every = tuple(parse_public_key(key) if isinstance(key, str) else key for key in keys)
        self._trust = Trust(name, KeySet(every, threshold), floor)
        self._when_stale = _when_stale(when_stale)
        self._cache = None if cache is None else BundleCache(cache)
        self._on_update = on_update
        self._lock = threading.Lock()
        self._last = self._shipped(initial)
        self._closed_for: Accepted | None = None
        self._thread_lock = threading.Lock()
        self._thread: AskingThread | None = None
        self.live = LivePins(initial if isinstance(initial, PinSet) else NoPinsYet())
        _, problem = self._adopt_cached()
        if problem:
            _log.warning("%s", problem)
        self._put_in_force()

    def _shipped(self, initial: PinSet | bytes | None) -> Accepted | None:
        if not isinstance(initial, bytes):
            if not (initial is None or isinstance(initial, PinSet)):
                raise ConfigError(
                    "bundle source: initial is neither the octets of a bundle's file nor a PinSet",
                    hint='such as Path("shop.json").read_bytes()',
                )
            return None
        return accept(parse_bundle_file(initial), self._trust)

    @property
    def state(self) -> BundleState:
        """Which bundle is in force now."""
        last = self._last
        if last is None:
            return BundleState(None, None, None, stale=False)
        bundle = last.bundle
        stale = bundle.expired(datetime.now(UTC))
        return BundleState(bundle.version, bundle.issued, bundle.expires, stale)

    def refresh(self) -> Update:
        """Ask for a bundle, and put it in force if it is newer and to be believed.

        Waits at most `seconds` for the answer. Never raises for what comes from outside:
        the answer says what happened, and what was in force stays so.
        """
        with self._lock:
            update = self._refresh()
        _tell(update, self._trust.name)
        if self._on_update is not None:
            try:
                self._on_update(update)
            except Exception:
                _log.exception("bundle %s: the callback raised", self._trust.name)
        return update

    def _refresh(self) -> Update:
        before = self._last
        problem, refusal, outcome, cache_problem = "", None, Outcome.UNCHANGED, ""
        try:
            cache_problem = self._take(self._fetch())
        except OutsideError as error:
            problem, outcome = str(error), Outcome.UNREACHABLE
            # Another process may have been told what was kept from us.
            _, cache_problem = self._adopt_cached()
        except PinwardenError as error:
            problem, outcome = str(error), Outcome.REFUSED
            refusal = error.why if isinstance(error, BundleRefusedError) else Refusal.MALFORMED
        self._put_in_force()
        if self._last is not before and outcome is not Outcome.REFUSED:
            outcome, problem = Outcome.UPDATED, ""
        return Update(outcome, self.state, problem, refusal, cache_problem)

    def _take(self, data: object) -> str:
        """Believe a fetched file and keep it; what stood in the way of keeping it, if anything.

        What other processes believed meanwhile comes first, so that of several the newest
        stays, whoever is last to write it.
        """
        if not isinstance(data, bytes):
            raise OutsideError("bundle: what fetches it gave no octets", target=self._trust.name)
        file = parse_bundle_file(data)
        if self._cache is None:
            self._last = accept(file, self._trust, self._last)
            return ""
        try:
            with self._cache.locked():
                kept, problem = self._adopt_cached()
                self._last = accept(file, self._trust, self._last)
                if problem:
                    _log.warning("%s; it is written anew", problem)
                if kept != self._last.file:
                    self._cache.write(self._last.file.to_json().encode("utf-8"))
                return ""
        except StoreError as error:
            self._last = accept(file, self._trust, self._last)
            return str(error)

    def _adopt_cached(self) -> tuple[BundleFile | None, str]:
        """Take what the cache has, if it is newer: what it holds, and what is wrong with it.

        A cache that cannot be read or believed is as good as none. It is not taken at its
        word: it is verified from what this process believes, or from the keys built in.
        """
        file = None
        try:
            data = None if self._cache is None else self._cache.read()
            if data is not None:
                file = parse_bundle_file(data)
                self._last = accept(file, self._trust, self._last)
        except BundleRefusedError as error:
            if error.why is not Refusal.ROLLED_BACK or self._last is None:
                return file, f"{self._cache}: is not believed: {error}"
        except StoreError as error:
            return None, f"{error}, so it is as good as none"
        except PinwardenError as error:
            return None, f"{self._cache}: is as good as none: {error}"
        return file, ""

    def _put_in_force(self) -> None:
        last = self._last
        if last is None:
            return
        held = self.live.pins
        closing = self._when_stale is WhenStale.CLOSED
        pins = ClosingPins(last.bundle) if closing else last.bundle.pins
        over = closing and last.bundle.expired(datetime.now(UTC)) and self._closed_for is not last
        if over:
            # Connections in pools were checked while the bundle was good: check them again.
            self._closed_for = last
        same = held == pins and getattr(held, "bundle", None) == getattr(pins, "bundle", None)
        if over or not same:
            self.live.replace(pins)

    def start(self, every: float = _EVERY) -> None:
        """Ask now and about every so many seconds, in a thread that ends with the program.

        A fork leaves the thread behind: start it in each worker. Failures are asked again
        sooner, then less and less often. At a bundle's end its pins close even if nobody
        answers.
        """
        if not every > 0:
            raise ConfigError("bundle source: asks in seconds, more than none")
        with self._thread_lock:
            if self._thread is None or not self._thread.alive:
                self._thread = AskingThread(
                    self._ask, every=every, notice=self._notice, until=self._seconds_left
                )

    def stop(self) -> None:
        """End the thread; does not wait for an answer that it is waiting for."""
        with self._thread_lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _ask(self) -> bool:
        return self.refresh().outcome in (Outcome.UPDATED, Outcome.UNCHANGED)

    def _notice(self) -> None:
        with self._lock:
            self._put_in_force()

    def _seconds_left(self) -> float | None:
        expires = self.state.expires
        left = None if expires is None else (expires - datetime.now(UTC)).total_seconds()
        return left if left is None or left > 0 else None


def _fetching(
    where: str | Callable[[], bytes], name: str, *, cafile: str | None, seconds: float
) -> Callable[[], object]:
    if isinstance(where, str):
        return URLFetch(where, cafile=cafile, seconds=seconds)
    work = where
    return lambda: within(seconds, work, f"bundle {name}")


def _when_stale(text: WhenStale | str) -> WhenStale:
    try:
        return WhenStale(text)
    except ValueError:
        raise ConfigError(
            f"bundle source: when_stale is not {quoted('closed')} or {quoted('keep')}",
            hint="closed refuses pinned hosts when no newer bundle comes, keep goes on",
        ) from None


def _tell(update: Update, name: str) -> None:
    state = update.state
    if update.outcome is Outcome.REFUSED:
        _log.warning("bundle %s: refused: %s", name, update.problem)
    elif update.outcome is Outcome.UNREACHABLE:
        level = logging.WARNING if state.stale or state.version is None else logging.INFO
        _log.log(level, "bundle %s: not reached: %s", name, update.problem)
    elif update.outcome is Outcome.UPDATED:
        _log.info("bundle %s: version %s is in force until %s", name, state.version, state.expires)
        if state.issued is not None and state.issued > datetime.now(UTC) + _SKEW:
            _log.warning(
                "bundle %s: is issued at %s: the clock of this machine is behind, and cannot "
                "tell when it is stale",
                name,
                state.issued,
            )
    if state.stale:
        _log.warning("bundle %s: version %s is stale since %s", name, state.version, state.expires)
    if update.cache_problem:
        _log.warning("bundle %s: %s", name, update.cache_problem)
