"""Servers that show each chain of the pin world, and `pinwarden pin` run against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pinwarden.lab.ca import key_pem, pem
from pinwarden.lab.tls import LabTLS
from support.pin_world import HOST, pin_set, said, world
from support.ran import Ran, run_here

Pin = Callable[..., Ran]
Served = Callable[[str], str]


@pytest.fixture
def pin(capsys: pytest.CaptureFixture[str]) -> Pin:
    """Runs a pin command; never a traceback, and nothing that does not show."""

    def call(*arguments: str | Path) -> Ran:
        return run_here(capsys, "pin", *arguments)

    return call


@pytest.fixture(scope="package")
def servers() -> Iterator[dict[str, LabTLS]]:
    """A server for each chain, all of which have heard nothing at the end."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(world().serve(name)) for name in world().chains}
        yield found
        assert b"".join(map(said, found.values())) == b""


@pytest.fixture
def served(servers: dict[str, LabTLS]) -> Served:
    """`localhost:PORT` of the server of a chain."""
    return lambda name: f"{HOST}:{servers[name].port}"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder: chain.pem, key.pem, leaf.der of genuine, ca.pem, and NAME.toml for pin sets."""
    genuine = world().chains["genuine"]
    (tmp_path / "chain.pem").write_bytes(pem(genuine.certificates))
    (tmp_path / "key.pem").write_bytes(key_pem(genuine.private_key))
    (tmp_path / "leaf.der").write_bytes(genuine.certificates[0])
    (tmp_path / "ca.pem").write_text(world().bundle)
    for name in ("good", "wrong", "forbidden", "report-only", "backup", "refuse-unpinned"):
        (tmp_path / f"{name}.toml").write_text(pin_set(name).to_toml())
    for name in ("expired-closed", "expired-open", "expired-report-only"):
        (tmp_path / f"{name}.toml").write_text(pin_set(name).to_toml())
    return tmp_path
