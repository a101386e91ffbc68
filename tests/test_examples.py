"""Every file in examples/ runs as it stands: served by the genuine, refused by the rogue."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.matrix.botocore_row import Botocore
from clients.matrix.harness import Client
from clients.matrix.http_rows import HTTPClient, Httpx2
from clients.matrix.other_examples import OTHER_EXAMPLES
from support.http_origin import BODY
from support.pin_world import HOST, pin_set, world

FOLDER = Path(__file__).parents[1] / "examples"

HTTP_EXAMPLES: dict[str, Client] = {
    "aiohttp_session.py": HTTPClient(),
    "botocore_client.py": Botocore(),
    "changing_pins.py": HTTPClient(),
    "http_client.py": HTTPClient(),
    "httpx_asyncio.py": HTTPClient(),
    "httpx_http2.py": Httpx2(),
    "httpx_sync.py": HTTPClient(),
    "httpx_trio.py": HTTPClient(),
    "requests_session.py": HTTPClient(),
    "truststore_context.py": HTTPClient(),
    "urllib3_pool.py": HTTPClient(),
    "urllib_request.py": HTTPClient(),
    "whole_process.py": HTTPClient(),
}
EXAMPLES = HTTP_EXAMPLES | OTHER_EXAMPLES


def run(example: str, port: int, pins: Path) -> subprocess.CompletedProcess[str]:
    """An example as a user runs it."""
    # No proxy of this machine, and nothing that it trusts.
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return subprocess.run(
        [sys.executable, "-W", "error", FOLDER / example, pins, HOST, str(port), world().cafile],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=kept,
    )


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """The good set, as a file."""
    path = tmp_path / "pins.toml"
    path.write_text(pin_set("good").to_toml(), encoding="utf-8")
    return path


def test_every_example_is_run() -> None:
    """No example is without a test, and no test without its example."""
    assert {path.name for path in FOLDER.glob("*.py")} == EXAMPLES.keys()


@pytest.mark.parametrize("example", EXAMPLES)
def test_served_by_the_genuine(example: str, pins: Path) -> None:
    """Prints what the server answered."""
    with EXAMPLES[example].server(world().chains["genuine"]) as server:
        ran = run(example, server.port, pins)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.strip()
        if example in HTTP_EXAMPLES:
            assert BODY.decode() in ran.stdout
        assert server.drained() > 0


@pytest.mark.parametrize("example", EXAMPLES)
def test_refused_by_the_rogue(example: str, pins: Path) -> None:
    """Says in one line what was seen and expected, and the server was told nothing."""
    with EXAMPLES[example].server(world().chains["rogue"]) as server:
        ran = run(example, server.port, pins)
        assert ran.returncode == 1
        assert ran.stdout == ""
        last = ran.stderr.strip().splitlines()[-1]
        assert str(world().pins["rogue-leaf"]) in last
        assert str(world().pins["intermediate"]) in last
        assert "Traceback" not in ran.stderr
        assert server.drained() == 0
