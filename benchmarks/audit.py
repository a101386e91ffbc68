"""`pinwarden audit` of many hosts, beside sslyze's scan of their certificates in one run.

nginx serves so many hosts on ports of loopback, each with a certificate of its own. sslyze,
in an environment of its own, is asked for its certificate information alone, and compares
the chain with trust stores. The audit does that and more: a second handshake for SCTs and
staples, CAA, CT policy, headers.
Counted are the time from start to end, the CPU time, and the most memory that was in use.
"""

from __future__ import annotations

import contextlib
import json
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
from pinwarden.lab.ca import CA, key_pem, new_key, pem
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json

HOST = "localhost"
CA_DOMAIN = "bench-ca.example"
SSLYZE = "sslyze --certinfo"
_FIRST_PORT = 20_000
# A child's memory at the most is at least its parent's at its birth: the parent must be small.
_LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ,
    file_actions=[(os.POSIX_SPAWN_DUP2, int(sys.argv[1]), 1),
                  (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
_, status, used = os.wait4(child, 0)
code = os.waitstatus_to_exitcode(status)
print([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024])
"""
_NGINX = """worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
{servers}
}}
"""
_SERVER = """  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/{port}.pem;
    ssl_certificate_key {folder}/key.pem;
    return 200 "";
  }}"""


@dataclass(frozen=True, slots=True)
class Row:
    """One program: seconds from start to end and of CPU time, and memory at the most."""

    program: str
    hosts: int
    seconds: float
    cpu: float
    megabytes: float


def measure(hosts: int, rounds: int) -> list[Row]:
    """Audit so many hosts, in turns; no row where nginx is missing."""
    nginx = find_program("nginx")
    if nginx is None:
        return []
    zones = {HOST: f'@ 300 IN CAA 0 issue "{CA_DOMAIN}"'}
    with (
        tempfile.TemporaryDirectory(prefix="pinwarden-bench-") as name,
        LabDNS(zones, "resolver") as dns,
    ):
        folder = Path(name)
        _prepare(folder, hosts)
        with _serving(nginx, folder):
            programs = dict(_programs(folder, dns.port))
            taken: dict[str, list[Row]] = {program: [] for program in programs}
            for _ in range(rounds):
                for program, command in programs.items():
                    taken[program].append(_timed(program, command, folder, hosts))
    return [_middle(rows) for rows in taken.values()]


def _middle(rows: list[Row]) -> Row:
    return Row(
        rows[0].program,
        rows[0].hosts,
        statistics.median(each.seconds for each in rows),
        statistics.median(each.cpu for each in rows),
        max(each.megabytes for each in rows),
    )


def _prepare(folder: Path, hosts: int) -> None:
    """Certificates with SCTs, a log list, the list of hosts, and what nginx is to do."""
    logs = [LabLog(f"bench{number}", operator=f"Operator {number}") for number in range(3)]
    ca = CA("Bench CA")
    key = new_key()
    ports = range(_FIRST_PORT, _FIRST_PORT + hosts)
    for port in ports:
        issued = ca.issue([HOST], key=key, logs=logs)
        (folder / f"{port}.pem").write_bytes(pem(issued.served_chain))
    (folder / "log_list.json").write_bytes(log_list_json(logs))
    (folder / "key.pem").write_bytes(key_pem(key))
    (folder / "root.pem").write_bytes(pem([ca.root]))
    (folder / "hosts").write_text("".join(f"{HOST}:{port}\n" for port in ports), "ascii")
    servers = "\n".join(_SERVER.format(folder=folder, port=port) for port in ports)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, servers=servers), "ascii")


@contextlib.contextmanager
def _serving(nginx: str, folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"],
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", _FIRST_PORT), timeout=1),
            ):
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _programs(folder: Path, dns_port: int) -> Iterator[tuple[str, list[str]]]:
    hosts, root = str(folder / "hosts"), str(folder / "root.pem")
    sslyze = find_program("sslyze")
    if sslyze is not None:
        yield (
            SSLYZE,
            [sslyze, "--certinfo", "--certinfo_ca_file", root, "--mozilla_config", "disable",
             "--targets_in", hosts, "--quiet", "--json_out", str(folder / "sslyze.json")],
        )  # fmt: skip
    yield (
        "pinwarden audit",
        [sys.executable, "-m", "pinwarden", "audit", "--names", hosts, "--json", "--cafile", root,
         "--log-list", str(folder / "log_list.json"), "--ca", CA_DOMAIN,
         "--resolver", f"127.0.0.1:{dns_port}"],
    )  # fmt: skip


def _timed(program: str, command: list[str], folder: Path, hosts: int) -> Row:
    """Raises RuntimeError unless every host was looked at to the end."""
    with (folder / "output").open("wb") as output:
        began = time.perf_counter()
        told = subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCHER, str(output.fileno()), *command],
            check=True, capture_output=True, pass_fds=[output.fileno()],
        )  # fmt: skip
        seconds = time.perf_counter() - began
    code, cpu, megabytes = json.loads(told.stdout)
    looked_at = _scanned(folder) if program == SSLYZE else _audited(folder)
    if code not in (0, 1) or looked_at != hosts:
        raise RuntimeError(f"{program}: exit code {code}, {looked_at} hosts")
    return Row(program, hosts, seconds, cpu, megabytes)


def _audited(folder: Path) -> int:
    lines = map(json.loads, (folder / "output").read_bytes().splitlines())
    return sum(not any(each["failed"] for each in line["not_checked"]) for line in lines)


def _scanned(folder: Path) -> int:
    results = json.loads((folder / "sslyze.json").read_bytes())["server_scan_results"]
    scans = (each["scan_result"]["certificate_info"]["status"] for each in results)
    return sum(status == "COMPLETED" for status in scans)


def report(rows: list[Row]) -> Iterator[str]:
    """The lines to show."""
    if not rows:
        yield "audit: not measured, nginx is not here (`make peers` installs it)"
        return
    yield f"audit: {rows[0].hosts} hosts on loopback, from start to end of the program"
    for row in rows:
        rate = row.hosts / row.seconds
        yield (
            f"  {row.program:<18} {row.seconds:6.2f} s ({rate:5.0f} hosts/s), "
            f"{row.cpu:6.2f} s CPU, {row.megabytes:4.0f} MB"
        )
    if len(rows) > 1:
        ratio = rows[0].seconds / rows[1].seconds
        yield f"  {rows[1].program}: {ratio:.1f} times the rate of {rows[0].program}"
