"""What a command or an import costs: nobody pays for rooms that they do not enter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    *("aiohttp", "aiosmtplib", "aiosqlite", "alembic", "apprise", "asyncio", "cryptography"),
    *("dns", "hyperscan", "jinja2", "msgspec", "sqlalchemy", "stamina", "starlette", "structlog"),
    *("uvicorn",),
}


def _loaded(*arguments: str) -> set[str]:
    """The top-level names of all modules that a fresh interpreter loads."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line for line in ran.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("question", ["--help", "--version"])
def test_asking_what_there_is_loads_nothing(question: str) -> None:
    """`pinwarden --help` and `--version` load no network, store or cryptography."""
    assert _loaded("-m", "pinwarden", question) & HEAVY == set()


@pytest.mark.parametrize("command", ["watch", "sightings", "alerts", "log-list", "demo", "pin"])
def test_asking_how_a_command_works_loads_no_adapter(command: str) -> None:
    """`pinwarden COMMAND --help` may read the configuration's shapes, and no more."""
    allowed = {"asyncio", "msgspec"}
    assert _loaded("-m", "pinwarden", command, "--help") & (HEAVY - allowed) == set()


@pytest.mark.parametrize(
    "command", ["audit", "ct logs", "ct policy", "ct prove", "ct scts", "header lint"]
)
def test_asking_how_hosts_are_examined_loads_nothing(command: str) -> None:
    """Nor does the help of commands that ask servers and logs."""
    assert _loaded("-m", "pinwarden", *command.split(), "--help") & HEAVY == set()


def test_reading_certificates_is_light() -> None:
    """A program that only reads certificates gets no monitor, network or command line with it."""
    code = "import pinwarden.x509.certificate, pinwarden.x509.precert"
    assert _loaded("-c", code) & (HEAVY - {"cryptography"} | {"click", "rich"}) == set()


def test_reading_log_structures_is_light() -> None:
    """Heads, proofs and tiles need cryptography and msgspec, and nothing that does I/O."""
    code = "import pinwarden.ct.entry, pinwarden.ct.head, pinwarden.ct.tiles"
    allowed = {"cryptography", "msgspec"}
    assert _loaded("-c", code) & (HEAVY - allowed | {"click", "rich"}) == set()


def test_whoever_pins_pays_for_nothing_else() -> None:
    """Pins need the standard library; cryptography and every client are loaded when used."""
    loaded = _loaded("-c", "import pinwarden.clients, pinwarden.pinning")
    clients = {"grpc", "httpx", "redis", "requests", "urllib3", "websockets"}
    assert loaded & (HEAVY | clients | {"click", "rich", "logging.config"}) == set()
