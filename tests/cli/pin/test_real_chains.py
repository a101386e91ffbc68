"""Chains that real sites served, verified from files as `pin check --chain` does it."""

from __future__ import annotations

import gzip
import json
import ssl
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.pin.keys import keys_of_chain
from pinwarden.cli.pin.offline import verify_offline
from pinwarden.errors import VerificationError
from pinwarden.pinning.host import normalise_host

_FILE = "real-chains/limbo_online_2023-2026.jsonl.gz"


@pytest.fixture(scope="module")
def served(corpus: Path) -> list[dict[str, Any]]:
    path = corpus / _FILE
    if not path.is_file():
        pytest.skip(f"no {_FILE} in the corpus")
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def _chain(site: dict[str, Any]) -> list[bytes]:
    return [b64decode(each) for each in (site["leaf"], *site["chain"])]


def _store(site: dict[str, Any], folder: Path) -> str:
    path = folder / "roots.pem"
    path.write_text("".join(ssl.DER_cert_to_PEM_cert(b64decode(each)) for each in site["roots"]))
    return str(path)


def test_each_verifies_at_its_time(served: list[dict[str, Any]], tmp_path: Path) -> None:
    """From its leaf to one of its roots, every key with a pin, and for no other host."""
    assert len(served) > 10
    for site in served:
        at, cafile = datetime.fromisoformat(site["validation_time"]), _store(site, tmp_path)
        host, chain = normalise_host(site["host"]), _chain(site)
        verified = verify_offline(chain, host, cafile=cafile, at=at)
        assert verified[0] == chain[0]
        assert verified[-1] in [b64decode(each) for each in site["roots"]]
        keys = keys_of_chain(verified)
        assert all(key.pin is not None for key in keys), host
        assert [str(keys[0].role), str(keys[-1].role)] == ["leaf", "root"]
        with pytest.raises(VerificationError):
            verify_offline(chain, "attacker.example", cafile=cafile, at=at)
        with pytest.raises(VerificationError):
            verify_offline(chain, host, cafile=cafile, at=at + timedelta(days=20_000))
