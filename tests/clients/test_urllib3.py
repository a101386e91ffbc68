"""urllib3: whatever would weaken the context that it is given is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3

from pinwarden.clients import PinnedContext, WeakenedContextError, find_mismatch
from support.http_origin import http_origin
from support.pin_world import HOST, pin_set, world


def pinned(pins: str = "good") -> PinnedContext:
    return PinnedContext(pin_set(pins), cadata=world().bundle)


@pytest.mark.parametrize(
    "weaker",
    [
        {"cert_reqs": "CERT_NONE"},
        {"cert_reqs": "CERT_OPTIONAL"},
        {"assert_hostname": False},
        {"assert_hostname": "other.example"},
        {"assert_fingerprint": "aa" * 32},
    ],
    ids=str,
)
def test_weakening_options_are_errors(weaker: dict[str, Any]) -> None:
    """Each of them would take from the context what pins rest upon."""
    with http_origin(world().chains["genuine"]) as server:
        pool = urllib3.PoolManager(ssl_context=pinned(), retries=False, **weaker)
        with pytest.raises(WeakenedContextError):
            pool.request("GET", f"https://{HOST}:{server.port}/", timeout=20)
        pool.clear()
        assert server.drained() == 0


def test_a_context_for_one_pool_alone() -> None:
    """Pools of two contexts do not lend each other connections."""
    with http_origin(world().chains["genuine"]) as server:
        url = f"https://{HOST}:{server.port}/"
        pool = urllib3.PoolManager(ssl_context=pinned(), retries=False)
        assert pool.request("GET", url).status == 200
        before = server.said
        other = pool.connection_from_url(url, pool_kwargs={"ssl_context": pinned("wrong")})
        with pytest.raises(urllib3.exceptions.SSLError) as caught:
            other.request("GET", "/")
        assert find_mismatch(caught.value) is not None
        for each in (other, pool.connection_from_url(url)):
            each.close()
        assert server.drained() == before


INJECTED = """
import sys, urllib3, urllib3.contrib.pyopenssl
from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet
context = PinnedContext(PinSet.load(sys.argv[1]), cafile=sys.argv[3])
urllib3.contrib.pyopenssl.inject_into_urllib3()
try:
    print(urllib3.PoolManager(ssl_context=context).request("GET", sys.argv[2]).data)
except Exception as error:
    sys.exit(str(find_mismatch(error) or error))
"""


def test_with_pyopenssl_injected(tmp_path: Path) -> None:
    """Urllib3 then wants to check names by itself, which the context does not have taken away."""
    pins = tmp_path / "pins.toml"
    pins.write_text(pin_set("good").to_toml(), encoding="utf-8")
    for shown in ("genuine", "rogue"):
        with http_origin(world().chains[shown]) as server:
            url = f"https://{HOST}:{server.port}/"
            ran = subprocess.run(
                [sys.executable, "-c", INJECTED, pins, url, world().cafile],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert ran.returncode == 1
            assert "check_hostname stays on" in ran.stderr
            assert server.drained() == 0
