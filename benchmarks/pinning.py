"""What pinning costs: handshakes with and without it in one run, and the import.

Both ends are in this process and talk over memory buffers, so that nothing but TLS is
measured. Plain and pinned handshakes take turns, and the order changes each round, so that
what the machine does besides falls on both.
"""

from __future__ import annotations

import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pinwarden.clients import PinnedContext
from pinwarden.lab.ca import CA, pem
from pinwarden.lab.tls import Credentials, server_context
from pinwarden.pinning import Mode, Pin, PinnedKey, PinPolicy, PinRole, PinSet
from pinwarden.pinning.spki import pin_of_certificate

HOST = "api.shop.example"
_BATCH = 25
_IMPORT_ROUNDS = 11
# What a program that talks TLS has loaded anyway.
_BEFORE = "import ssl, cryptography.x509"


@dataclass(frozen=True, slots=True)
class Handshakes:
    """CPU seconds of one handshake, both ends, batch by batch in turns."""

    plain: tuple[float, ...]
    pinned: tuple[float, ...]
    unpinned_host: tuple[float, ...]
    changing: tuple[float, ...]

    def added(self, of: tuple[float, ...]) -> float:
        """Seconds added to a handshake: the median of the differences within each round."""
        return statistics.median(b - a for a, b in zip(self.plain, of, strict=True))


@dataclass(frozen=True, slots=True)
class Figures:
    """Handshakes, and seconds of import beyond ssl and cryptography."""

    handshakes: Handshakes
    imports: float


def measure(handshakes: int) -> Figures:
    """Run so many handshakes of each kind."""
    return Figures(_measure_handshakes(handshakes), _measure_import())


def _measure_handshakes(count: int) -> Handshakes:
    ca = CA("Bench CA")
    server = server_context(Credentials.of(ca.issue([HOST])))
    anchors = pem([ca.root]).decode()
    right, other = pin_of_certificate(ca.root), Pin.of_spki(b"another key")
    keys = (PinnedKey(right, PinRole.CA), PinnedKey(other, PinRole.BACKUP))
    pins = PinSet([PinPolicy(host=HOST, mode=Mode.ENFORCE, keys=keys)])
    elsewhere = PinSet([PinPolicy(host="other.example", mode=Mode.ENFORCE, keys=keys)])
    plain = ssl.create_default_context(cadata=anchors)
    fresh = [Credentials.of(ca.issue([HOST])) for _ in range(8)]
    kinds: list[tuple[str, Callable[[], None]]] = [
        ("plain", _repeated(plain, server)),
        ("pinned", _repeated(PinnedContext(pins, cadata=anchors), server)),
        ("unpinned_host", _repeated(PinnedContext(elsewhere, cadata=anchors), server)),
    ]
    changing = PinnedContext(pins, cadata=anchors)
    servers = [server_context(each) for each in fresh]
    kinds.append(("changing", lambda: [_handshake(changing, each) for each in servers * 3][:0] and None))
    times: dict[str, list[float]] = {name: [] for name, _ in kinds}
    for number in range(max(4, count // _BATCH)):
        turn = kinds[number % len(kinds) :] + kinds[: number % len(kinds)]
        for name, run in turn:
            began = time.process_time()
            run()
            size = _BATCH if name != "changing" else len(servers) * 3
            times[name].append((time.process_time() - began) / size)
    return Handshakes(**{name: tuple(each[1:]) for name, each in times.items()})


def _repeated(client: ssl.SSLContext, server: ssl.SSLContext) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_BATCH):
            _handshake(client, server)

    return run


def _handshake(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> None:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=HOST)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    done: set[int] = set()
    while len(done) < 2:
        for number, end in enumerate((client, server)):
            try:
                end.do_handshake()
                done.add(number)
            except ssl.SSLWantReadError:
                pass


def _measure_import() -> float:
    """The median over fresh interpreters, each with its own measure of what comes before."""
    code = (
        f"{_BEFORE}\nimport time\nbegan = time.perf_counter()\n"
        "import pinwarden.clients\nprint(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code]
    runs = [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(_IMPORT_ROUNDS)
    ]
    return statistics.median(runs[1:])


def report(figures: Figures) -> Iterator[str]:
    """The lines to show."""
    each = figures.handshakes
    plain = statistics.median(each.plain)
    yield "pinning: a TLS 1.3 handshake, both ends in one process, CPU time"
    yield f"  plain                {1 / plain:8,.0f} a second   {plain * 1e6:8.1f} us"
    for name, times in (
        ("pinned", each.pinned),
        ("host without policy", each.unpinned_host),
        ("new leaf each time", each.changing),
    ):
        mid, added = statistics.median(times), each.added(times)
        yield (
            f"  {name:<20} {1 / mid:8,.0f} a second   {mid * 1e6:8.1f} us"
            f"   {added * 1e6:+6.1f} us   {100 * added / plain:+5.1f} %"
        )
    yield f"  import pinwarden.clients, beyond ssl and cryptography: {figures.imports * 1e3:.1f} ms"
