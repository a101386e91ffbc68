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
import dns.rcode
import pytest

from peers.programs import eventually, free_port, program, running, words_of

HOST = "127.0.0.1"
CONFIGURATION = "server.conf"
# In lower case: NSD and Unbound, named over UDP, named over TCP.
_TAKEN = ("address already in use", "interface lo failed", "address in use")
_CHECK = (sys.executable, "-m", "pinwarden", "caa", "check")


@contextmanager
def named(folder: Path, zones: Mapping[str, str]) -> Iterator[int]:
    """BIND as an authority for zones (origin to text); its port."""
    blocks = [
        f'zone "{origin}" {{ type primary; file "{file}"; check-names ignore; }};'
        for origin, file in _written(folder, zones)
    ]
    configuration = f"""
        options {{
          directory "{folder}";
          listen-on port PORT {{ {HOST}; }};
          listen-on-v6 {{ none; }};
          pid-file none;
          session-keyfile "{folder}/session.key";
          recursion no;
          notify no;
          dnssec-validation no;
          max-records-per-type 0;
        }};
        controls {{ }};
        """ + "\n".join(blocks)
    command: list[str | Path] = [program("named"), "-g", "-4", "-n", "1", "-c", CONFIGURATION]
    with _serving(command, folder, configuration, next(iter(zones))) as port:
        yield port


@contextmanager
def nsd(folder: Path, zones: Mapping[str, str]) -> Iterator[int]:
    """NSD as an authority for zones (origin to text); its port."""
    blocks = [
        f'zone:\n  name: "{origin}"\n  zonefile: "{file}"\n'
        for origin, file in _written(folder, zones)
    ]
    configuration = f"""
server:
  ip-address: {HOST}@PORT
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
""" + "".join(blocks)
    command: list[str | Path] = [program("nsd"), "-d", "-c", CONFIGURATION]
    with _serving(command, folder, configuration, next(iter(zones))) as port:
        yield port


@contextmanager
def unbound(folder: Path, authority: int, *lines: str) -> Iterator[int]:
    """Unbound, for which the authority on a port of loopback is the root; its port.

    `lines` are added to its `server:` clause, such as trust anchors.
    """
    configuration = (
        "\n  ".join(
            (
                "server:",
                f"interface: {HOST}@PORT",
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
    command: list[str | Path] = [program("unbound"), "-d", "-c", CONFIGURATION]
    with _serving(command, folder, configuration, ".") as port:
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


@contextmanager
def _serving(
    command: list[str | Path], folder: Path, configuration: str, name: str
) -> Iterator[int]:
    """A server that answers for `name`, on the port that stands for PORT in its configuration.

    Where somebody took the port before it did, it begins again with another one.
    """
    for left in reversed(range(3)):
        port = free_port()
        (folder / CONFIGURATION).write_text(configuration.replace("PORT", str(port)))
        with running(command, folder) as child:
            eventually(lambda: _is_up(child, port, name) or _has_failed(child, folder))  # noqa: B023
            if _is_up(child, port, name):
                yield port
                return
        if not left or not _is_taken(folder):
            pytest.fail(f"{command[0]} does not answer:\n{words_of(folder)}")


def _is_up(child: subprocess.Popen[bytes], port: int, name: str) -> bool:
    """Whether a server has its zones: before, NSD answers SERVFAIL."""
    query = dns.message.make_query(name, "SOA")
    try:
        answers = [ask(query, HOST, port=port, timeout=1) for ask in (dns.query.tcp, dns.query.udp)]
    except (dns.exception.DNSException, OSError, EOFError):
        return False
    return child.poll() is None and all(each.rcode() == dns.rcode.NOERROR for each in answers)


def _has_failed(child: subprocess.Popen[bytes], folder: Path) -> bool:
    return child.poll() is not None or _is_taken(folder)


def _is_taken(folder: Path) -> bool:
    """Whether a server says so of its port; named stays alive all the same."""
    words = words_of(folder).lower()
    return any(each in words for each in _TAKEN)
