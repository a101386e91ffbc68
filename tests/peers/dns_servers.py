"""DNS servers of other people on loopback: named and NSD with zones, Unbound in front of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query

from peers.programs import eventually, free_port, program, running, words_of

HOST = "127.0.0.1"
_CHECK = (sys.executable, "-m", "pinwarden", "caa", "check")


@contextmanager
def named(folder: Path, zones: Mapping[str, str]) -> Iterator[int]:
    """BIND as an authority for zones (origin to text); its port."""
    port = free_port()
    blocks = [
        f'zone "{origin}" {{ type primary; file "{file}"; check-names ignore; }};'
        for origin, file in _written(folder, zones)
    ]
    (folder / "named.conf").write_text(
        f"""
        options {{
          directory "{folder}";
          listen-on port {port} {{ {HOST}; }};
          listen-on-v6 {{ none; }};
          pid-file none;
          session-keyfile "{folder}/session.key";
          recursion no;
          notify no;
          dnssec-validation no;
          max-records-per-type 0;
        }};
        controls {{ }};
        """
        + "\n".join(blocks)
    )
    command: list[str | Path] = [program("named"), "-g", "-4", "-n", "1", "-c", "named.conf"]
    with running(command, folder) as child:
        _answering(child, port, next(iter(zones)), folder)
        yield port


@contextmanager
def nsd(folder: Path, zones: Mapping[str, str]) -> Iterator[int]:
    """NSD as an authority for zones (origin to text); its port."""
    port = free_port()
    blocks = [
        f'zone:\n  name: "{origin}"\n  zonefile: "{file}"\n'
        for origin, file in _written(folder, zones)
    ]
    (folder / "nsd.conf").write_text(
        f"""
server:
  ip-address: {HOST}@{port}
  server-count: 1
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
"""
        + "".join(blocks)
    )
    with running([program("nsd"), "-d", "-c", "nsd.conf"], folder) as child:
        _answering(child, port, next(iter(zones)), folder)
        yield port


@contextmanager
def unbound(folder: Path, authority: int, *lines: str) -> Iterator[int]:
    """Unbound, for which the authority on a port of loopback is the root; its port.

    `lines` are added to its `server:` clause, such as trust anchors.
    """
    port = free_port()
    (folder / "unbound.conf").write_text(
        "\n  ".join(
            (
                "server:",
                f"interface: {HOST}@{port}",
                "do-ip6: no",
                "do-not-query-localhost: no",
                "do-daemonize: no",
                "use-syslog: no",
                'username: ""',
                'chroot: ""',
                f'directory: "{folder}"',
                f'pidfile: "{folder}/unbound.pid"',
                'module-config: "validator iterator"',
                "ede: yes",
                "local-zone: test. nodefault",
                "local-zone: invalid. nodefault",
                *lines,
            )
        )
        + f"\nremote-control:\n  control-enable: no\n"
        f'stub-zone:\n  name: "."\n  stub-addr: {HOST}@{authority}\n'
    )
    with running([program("unbound"), "-d", "-c", "unbound.conf"], folder) as child:
        _answering(child, port, ".", folder)
        yield port


def check(folder: Path, resolver: str | int, *arguments: str, **environment: str) -> dict[str, Any]:
    """What `pinwarden caa check` says of one name, in a process of its own."""
    where = f"{HOST}:{resolver}" if isinstance(resolver, int) else resolver
    places = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    ran = subprocess.run(
        [*_CHECK, *arguments, "--resolver", where, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **dict.fromkeys(places, str(folder)), **environment},
    )
    assert ran.returncode in {0, 1}, ran.stderr
    (line,) = ran.stdout.splitlines()
    said: dict[str, Any] = json.loads(line)
    assert ran.returncode == (said["verdict"] != "allowed")
    return said


def _written(folder: Path, zones: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for origin, text in zones.items():
        file = f"{origin.strip('.') or 'root'}.zone"
        (folder / file).write_text(text)
        yield origin, file


def _answering(child: subprocess.Popen[bytes], port: int, name: str, folder: Path) -> None:
    """Wait until a server answers; fail with its own words when it does not."""
    query = dns.message.make_query(name, "SOA")

    def answers() -> bool:
        assert child.poll() is None, words_of(folder)
        try:
            dns.query.udp(query, HOST, port=port, timeout=1)
        except (dns.exception.Timeout, OSError):
            return False
        return True

    assert eventually(answers), words_of(folder)
