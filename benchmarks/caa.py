"""`pinwarden caa check` on many names, beside `dig -f` on the same list in the same run.

The server is NSD or BIND's named on loopback, or the lab's where neither is installed.
`dig` asks one question for each name; we climb, evaluate and write JSON. In one list the
names share their parent, in the other each has one of its own, so that two questions are
asked for most. Counted is the time from start to end of the program.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import find_program

ZONE = "bench.test"
HEAD = """$TTL 3600
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
@ IN CAA 0 issue "letsencrypt.org"
"""
# Response rate limiting drops most of what one address asks in a second; it is on by default.
NSD = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  server-count: 1
  zonesdir: "{folder}"
  pidfile: ""
  xfrdfile: ""
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  database: ""
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {zone}
  zonefile: zone
"""
NAMED = """options {{
  directory "{folder}";
  pid-file none;
  session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  managed-keys-directory "{folder}";
}};
controls {{ }};
zone "{zone}" {{ type primary; file "{folder}/zone"; }};
"""
PATIENCE = 60


@dataclass(frozen=True)
class Row:
    """The median of several runs of one program over one list; seconds, and MB at the most."""

    program: str
    names: str
    count: int
    seconds: float
    memory: float


def measure(count: int, rounds: int) -> list[Row]:
    """A row for each program and list; empty where there is no `dig` to compare with."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pinwarden-bench-") as name:
        folder = Path(name)
        lists = {"one parent": _flat(count), "own parents": _deep(count)}
        zone = HEAD + "".join(line for lines in lists.values() for line in _records(lines))
        (folder / "zone").write_text(zone, "ascii")
        with _server(folder) as (server, port):
            print(f"caa check against {server}, {count} names", file=sys.stderr)
            for kind, names in lists.items():
                (folder / "names").write_text("".join(f"{each}\n" for each in names), "ascii")
                (folder / "batch").write_text("".join(f"{n} CAA\n" for n in names), "ascii")
                rows += _rows(kind, count, dict(_programs(folder, port)), rounds)
    return rows


def report(rows: list[Row]) -> Iterator[str]:
    """The table, and what it says."""
    yield f"{'program':<12} {'names':<12} {'count':>7} {'names/s':>9} {'seconds':>8} {'MB':>6}"
    for row in rows:
        yield (
            f"{row.program:<12} {row.names:<12} {row.count:>7} {row.count / row.seconds:>9.0f} "
            f"{row.seconds:>8.2f} {row.memory:>6.0f}"
        )
    for row in rows:
        if row.program == "dig -f":
            ours = next(r for r in rows if r.program != "dig -f" and r.names == row.names)
            yield (
                f"dig -f takes {row.seconds / ours.seconds:.2f} times the time of caa check "
                f"({row.names})"
            )


def _flat(count: int) -> list[str]:
    return [f"n{number}.{ZONE}" for number in range(count)]


def _deep(count: int) -> list[str]:
    return [f"www.s{number}.{ZONE}" for number in range(count)]


def _records(names: list[str]) -> Iterator[str]:
    """A third of the names have CAA, a third only an address, a third do not exist."""
    for number, name in enumerate(names):
        if number % 3 == 0:
            yield f'{name}. IN CAA 0 issue "letsencrypt.org"\n'
        elif number % 3 == 1:
            yield f"{name}. IN A 192.0.2.1\n"


def _programs(folder: Path, port: int) -> Iterator[tuple[str, list[str]]]:
    if (dig := find_program("dig")) is not None:
        yield "dig -f", [dig, "@127.0.0.1", "-p", str(port), "-f", str(folder / "batch")]
    yield (
        "caa check",
        [sys.executable, "-m", "pinwarden", "caa", "check", "--names", str(folder / "names"),
         "--issuer", "letsencrypt.org", "--resolver", f"127.0.0.1:{port}", "--json"],
    )  # fmt: skip


def _rows(kind: str, count: int, programs: dict[str, list[str]], rounds: int) -> Iterator[Row]:
    """Every program in turn, so that what else the machine does falls on all of them.

    The median, since `dig` takes one time or twice as long by which processor it is put on.
    """
    runs = [[_timed(command, count) for command in programs.values()] for _ in range(rounds)]
    for program, of_program in zip(programs, zip(*runs, strict=True), strict=True):
        seconds, memory = zip(*of_program, strict=True)
        yield Row(program, kind, count, statistics.median(seconds), max(memory))


def _timed(command: list[str], count: int) -> tuple[float, float]:
    """Seconds from start to end and megabytes at the most; every name must be answered."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = sum(1 for line in output if line.startswith((b"{", b";; ->>HEADER<<-")))
    if process.returncode not in (0, 1) or lines != count:
        raise RuntimeError(f"{command[0]}: exit code {process.returncode}, {lines} answers")
    return seconds, used.ru_maxrss / 1024


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    """What serves the zone, and its port."""
    port = _free_port()
    for name, form, options in (("nsd", NSD, ["-d"]), ("named", NAMED, ["-f"])):
        program = find_program(name)
        if program is None:
            continue
        configuration = folder / f"{name}.conf"
        configuration.write_text(form.format(folder=folder, port=port, zone=ZONE), "ascii")
        process = subprocess.Popen(
            [program, *options, "-c", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if _answers(process, port):
                yield name, port
                return
        finally:
            process.terminate()
            process.wait()
    # Imported late: a child's memory at the most is at least its parent's at its birth.
    from pinwarden.lab.dns import LabDNS

    with LabDNS({ZONE: (folder / "zone").read_text("ascii")}) as lab:
        yield "the lab's server (no nsd or named works here)", lab.port


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_port:
        any_port.bind(("127.0.0.1", 0))
        port: int = any_port.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether a server is up before our patience ends."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False
