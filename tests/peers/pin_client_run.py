"""Runs a client with exported pins at every host and server, and compares it with our own check."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pinwarden.lab.tls import LabTLS
from pinwarden.pinning import PinSet
from support.pin_export_world import ADDRESS, NAMES, expected, servers
from support.pin_world import said

CLIENTS = Path(__file__).parent / "pin_clients"
PEERS = Path(__file__).parents[2] / ".peers"
PATIENCE = 240


def built(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    """What a compiler said; fails with all of it if it did not like the code."""
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    return ran.stdout + ran.stderr


def differences(
    pins: PinSet,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    hosts: Iterable[str] = (*NAMES, ADDRESS),
    names: Iterable[str] = ("genuine", "rogue", "stuffed", "crafted"),
) -> list[str]:
    """Where a client went on and we would not, or the other way about; and every leak.

    Raises an assertion if the client did not say what became of a connection.
    """
    hosts, names = tuple(hosts), tuple(names)
    with servers() as running:
        ours = {
            f"{host}:{running[name].port}": (name, expected(pins, host, running[name]))
            for name in names
            for host in hosts
        }
        for server in running.values():
            server.visits.clear()
        ran = subprocess.run(
            [*command, *ours],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        theirs = dict(re.findall(r"^(\S+:\d+) (ok|refused)\b", ran.stdout, re.MULTILINE))
        assert theirs.keys() == ours.keys(), ran.stdout[-3000:] + ran.stderr[-3000:]
        found = [
            f"{target.rpartition(':')[0]} at {name}: {theirs[target]}, we say {allowed}"
            for target, (name, allowed) in ours.items()
            if (theirs[target] == "ok") is not allowed
        ]
        allowed_at = {target for target, (_, allowed) in ours.items() if allowed}
        return found + _leaks(running, hosts, names, allowed_at)


def _leaks(
    running: Mapping[str, LabTLS],
    hosts: Sequence[str],
    names: Sequence[str],
    allowed: set[str],
) -> list[str]:
    """Hosts to which a request went that must not have gone out."""
    return [
        f"{host} at {name}: was told a request"
        for name in names
        for host in hosts
        if f"{host}:{running[name].port}" not in allowed
        and re.search(
            rb"(?i)^host: " + re.escape(host).encode() + rb"[:\r]",
            said(running[name]),
            re.MULTILINE,
        )
    ]
