"""What pinning costs: handshakes with and without it in one run, and the import.

Once with both ends in this process, over memory buffers, so that nothing but TLS is
measured (CPU time); and once over loopback sockets to a server in another process, as a
client has it: CPU time of the client, and what passes on the clock from connecting to
the end of the handshake. The kinds take turns, and their order changes each round, so that
what the machine does besides falls on all. What is told is the median of the differences
within each round; on the clock, where waiting for others counts, the difference between
the fastest tenths.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pinwarden.clients import PinnedContext
from pinwarden.lab.ca import CA, pem
from pinwarden.lab.tls import Credentials, server_context
from pinwarden.pinning import Mode, Pin, PinnedKey, PinPolicy, PinRole, PinSet
from pinwarden.pinning.spki import pin_of_certificate

HOST = "api.shop.example"
_BATCH = 5
_IMPORT_ROUNDS = 11
# What a program that talks TLS has loaded anyway.
_BEFORE = "import ssl, cryptography.x509"
_PLAIN = "plain"

Handshake = Callable[[ssl.SSLContext], None]


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of one handshake, batch by batch in turns, by the kind of context."""

    what: str
    times: dict[str, tuple[float, ...]]
    on_the_clock: bool = False

    @property
    def plain(self) -> float:
        """Seconds without pins."""
        middle = _tenth if self.on_the_clock else statistics.median
        return middle(self.times[_PLAIN])

    def added(self, kind: str) -> float:
        """Seconds added by a kind."""
        if self.on_the_clock:
            return _tenth(self.times[kind]) - _tenth(self.times[_PLAIN])
        pairs = zip(self.times[_PLAIN], self.times[kind], strict=True)
        return statistics.median(b - a for a, b in pairs)


def _tenth(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 10]


@dataclass(frozen=True, slots=True)
class Figures:
    """Handshakes, and seconds of import beyond ssl and cryptography."""

    handshakes: tuple[Timed, ...]
    imports: float


@dataclass(frozen=True, slots=True)
class _Contexts:
    """The kinds of client; `before` is what is done ahead of each handshake."""

    kinds: dict[str, ssl.SSLContext]
    before: dict[str, Callable[[], None]]


def measure(handshakes: int) -> Figures:
    """Run so many handshakes of each kind, in memory and over sockets."""
    ca = CA("Bench CA")
    served = Credentials.of(ca.issue([HOST]))
    contexts = _contexts(ca)
    in_memory = server_context(served)
    rounds = max(4, handshakes // _BATCH)
    timed = [
        _in_turns(
            "in memory, both ends, CPU time",
            contexts,
            lambda context: _handshake_in_memory(context, in_memory),
            time.process_time,
            rounds,
        )
    ]
    with _server(served) as address:
        for what, clock in (
            ("over loopback, the client's CPU time", time.process_time),
            ("over loopback, on the clock", time.perf_counter),
        ):
            timed.append(
                _in_turns(
                    what,
                    contexts,
                    lambda context: _handshake_over_sockets(context, address),
                    clock,
                    rounds,
                )
            )
    return Figures(tuple(timed), _measure_import())


def _contexts(ca: CA) -> _Contexts:
    anchors = pem([ca.root]).decode()
    right, other = pin_of_certificate(ca.root), Pin.of_spki(b"another key")
    keys = (PinnedKey(right, PinRole.CA), PinnedKey(other, PinRole.BACKUP))
    pins = PinSet([PinPolicy(host=HOST, mode=Mode.ENFORCE, keys=keys)])
    elsewhere = PinSet([PinPolicy(host="other.example", mode=Mode.ENFORCE, keys=keys)])
    first = PinnedContext(pins, cadata=anchors)

    def forget() -> None:
        first.live.replace(pins)
        pin_of_certificate.cache_clear()

    kinds = {
        _PLAIN: ssl.create_default_context(cadata=anchors),
        # What the measurement itself makes of nothing.
        "plain once more": ssl.create_default_context(cadata=anchors),
        "pinned": PinnedContext(pins, cadata=anchors),
        "pinned, told": PinnedContext(pins, cadata=anchors, on_result=lambda _: None),
        "pinned, first time": first,
        "host without policy": PinnedContext(elsewhere, cadata=anchors),
    }
    return _Contexts(kinds, {"pinned, first time": forget})


def _in_turns(
    what: str,
    contexts: _Contexts,
    handshake: Handshake,
    clock: Callable[[], float],
    rounds: int,
) -> Timed:
    kinds = list(contexts.kinds.items())
    times: dict[str, list[float]] = {name: [] for name, _ in kinds}
    for number in range(rounds + 1):
        first = number % len(kinds)
        for name, context in kinds[first:] + kinds[:first]:
            before = contexts.before.get(name)
            spent = 0.0
            for _ in range(_BATCH):
                if before is not None:
                    before()
                began = clock()
                handshake(context)
                spent += clock() - began
            times[name].append(spent / _BATCH)
    # The first round finds nothing ready.
    told = {name: tuple(each[1:]) for name, each in times.items()}
    return Timed(what, told, on_the_clock=clock is time.perf_counter)


def _handshake_in_memory(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> None:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=HOST)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    done: set[int] = set()
    while len(done) < 2:
        for number, end in enumerate((client, server)):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
                done.add(number)


def _handshake_over_sockets(context: ssl.SSLContext, address: tuple[str, int]) -> None:
    with (
        socket.create_connection(address) as raw,
        context.wrap_socket(raw, server_hostname=HOST),
    ):
        pass


@contextmanager
def _server(served: Credentials) -> Iterator[tuple[str, int]]:
    """A server in another process, which does nothing but handshakes."""
    forking = multiprocessing.get_context("fork")
    ours, theirs = forking.Pipe()
    process = forking.Process(target=_serve, args=(served, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(served: Credentials, told: multiprocessing.connection.Connection) -> None:
    context = server_context(served)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        told.send(listening.getsockname())
        while True:
            visitor, _ = listening.accept()
            threading.Thread(target=_greet, args=(context, visitor), daemon=True).start()


def _greet(context: ssl.SSLContext, visitor: socket.socket) -> None:
    with visitor, suppress(OSError), context.wrap_socket(visitor, server_side=True) as tls:
        tls.recv(1)


def _measure_import() -> float:
    """The median over fresh interpreters, each with its own measure of what comes before."""
    code = (
        f"{_BEFORE}\nimport time\nbegan = time.process_time()\n"
        "import pinwarden.clients\nprint(time.process_time() - began)"
    )
    command = [sys.executable, "-c", code]
    runs = [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(_IMPORT_ROUNDS)
    ]
    return statistics.median(runs[1:])


def report(figures: Figures) -> Iterator[str]:
    """The lines to show."""
    yield "pinning: one TLS 1.3 handshake with a chain of three certificates"
    for timed in figures.handshakes:
        yield f"  {timed.what}: {timed.plain * 1e6:.0f} us without pins"
        for kind in timed.times:
            if kind != _PLAIN:
                added = timed.added(kind)
                yield (
                    f"    {kind:<20} {added * 1e6:+7.1f} us   {100 * added / timed.plain:+5.1f} %"
                )
    imports = f"{figures.imports * 1e3:.1f} ms of CPU time"
    yield f"  import pinwarden.clients, beyond ssl and cryptography: {imports}"
