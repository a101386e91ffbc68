"""The benchmark's server: a process that says where its logs are, and ends on SIGTERM."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import sys
from base64 import b64decode
from pathlib import Path

import aiohttp

from pinwarden.ct.loglist import parse_log_list
from support import oracle

SOURCE = Path(__file__).parents[2] / "src"


async def test_logs_in_a_process_of_their_own(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """One line of JSON must lead to full, honest logs; SIGTERM must end the process well."""
    listed = tmp_path / "list.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pinwarden.lab.standalone", "--logs", "rfc6962:2", "both"),
        *("--entries", "300", "--plant", "victim.example", "--log-list", str(listed)),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(SOURCE)},
    )
    try:
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())
        logs = parse_log_list(listed.read_bytes(), "lab")
        assert [each["entries"] for each in ready["logs"]] == [300] * 4
        assert {each["url"] for each in ready["logs"]} == {log.url for log in logs.logs}
        by_url = {log.url: log for log in logs.logs}
        static = ready["logs"][-1]
        assert by_url[static["url"]].log_id == b64decode(static["log_id"])
        tiles = []
        for tile in ("000", "001.p/44"):
            async with session.get(f"{static['url']}tile/data/{tile}") as response:
                tiles += oracle.read_tile(gzip.decompress(await response.read()))
        async with session.get(f"{static['url']}checkpoint") as response:
            log = by_url[static["url"]]
            head = oracle.read_checkpoint(await response.read(), log.key, log.origin)
        assert oracle.tree_hash([each.leaf for each in tiles]) == head.root
        planted = ready["planted"]["both-0"]["victim.example"]
        assert b"victim.example" in tiles[planted].leaf
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
