"""`python -m pinwarden.lab.standalone`: full logs for benchmarks, in a process of their own.

Prints one line of JSON when every log is filled and listening, and then serves
ready-made bytes until SIGTERM: what is measured is the reader.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from pinwarden.ct.log import LogKind
from pinwarden.lab import rfc6962, static_ct
from pinwarden.lab.bulk import fill
from pinwarden.lab.exchange import Shelf
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

# Bytes of ready-made answers for each log.
_BUDGET = 4 << 30
_KINDS = {
    "rfc6962": (LogKind.RFC6962,),
    "static": (LogKind.STATIC,),
    "both": (LogKind.RFC6962, LogKind.STATIC),
}


def main(arguments: list[str] | None = None) -> None:
    """Fill the logs, say where they are, serve them."""
    options = _parser().parse_args(arguments)
    began = time.perf_counter()
    logs, planted = _filled(options)
    filled = time.perf_counter()
    if options.warm:
        _warm(logs)
    with tempfile.TemporaryDirectory(prefix="pinwarden-lab-") as folder:
        ready = {
            "log_list": options.log_list or str(Path(folder) / "log_list.json"),
            "pid": os.getpid(),
            "planted": planted,
            "fill_seconds": round(filled - began, 3),
            "warm_seconds": round(time.perf_counter() - filled, 3),
        }
        asyncio.run(_serve(logs, ready))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pinwarden.lab.standalone", description=__doc__)
    parser.add_argument(
        "--logs",
        nargs="+",
        default=["rfc6962:1", "static:1"],
        metavar="KIND[:COUNT]",
        help="rfc6962, static or both (one tree over both protocols), and how many of them",
    )
    parser.add_argument("--entries", type=int, default=100_000, help="entries in each log")
    parser.add_argument("--seed", type=int, default=1, help="of names and serial numbers")
    parser.add_argument("--plant", nargs="*", default=[], metavar="NAME", help="names to be found")
    parser.add_argument("--most-entries", type=int, default=256, help="most that get-entries gives")
    parser.add_argument("--gzip-json", action="store_true", help="compress get-entries if asked")
    parser.add_argument("--plain-tiles", action="store_true", help="do not compress data tiles")
    parser.add_argument("--no-warm", dest="warm", action="store_false", help="make answers late")
    parser.add_argument("--log-list", metavar="FILE", help="where to write the log list")
    return parser


def _filled(options: argparse.Namespace) -> tuple[list[LabLog], dict[str, dict[str, int]]]:
    logs, planted = [], {}
    for number, (name, kinds) in enumerate(_names(options.logs)):
        log = LabLog(
            name,
            kinds=kinds,
            most_entries=options.most_entries,
            gzip_tiles=not options.plain_tiles,
            gzip_json=options.gzip_json,
            shelf=Shelf(_BUDGET),
        )
        planted[name] = fill(log, options.entries, seed=options.seed + number, plant=options.plant)
        logs.append(log)
    return logs, planted


def _names(wanted: list[str]) -> Iterator[tuple[str, tuple[LogKind, ...]]]:
    for each in wanted:
        kind, _, count = each.partition(":")
        if kind not in _KINDS:
            raise SystemExit(f"pinwarden: error: --logs {each}: no such kind of log")
        for number in range(int(count or 1)):
            yield f"{kind}-{number}", _KINDS[kind]


def _warm(logs: list[LabLog]) -> None:
    for log in logs:
        for face in log.faces:
            (static_ct if face.kind is LogKind.STATIC else rfc6962).warm(log)


async def _serve(logs: list[LabLog], ready: dict[str, object]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with LabServer(logs) as server:
        path = Path(str(ready["log_list"]))
        await asyncio.to_thread(path.write_bytes, server.log_list_json())
        ready["log_list_url"] = server.log_list_url
        ready["logs"] = [
            {
                "name": log.name,
                "kind": face.kind,
                "url": log.url(face.kind),
                "log_id": b64encode(face.log_id).decode(),
                "entries": log.size,
            }
            for log in logs
            for face in log.faces
        ]
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    main()
