"""Log lists for tests: entries with fresh keys, and lists signed by a key of our own."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pinwarden.ct.loglist import Log, LogList, Program, parse_log_list

AT = datetime(2026, 8, 25, tzinfo=UTC)
JUST_NOW = (AT - timedelta(days=1)).isoformat()
LONG_AGO = "2020-01-01T00:00:00Z"


@cache
def make_key(name: str) -> bytes:
    """The public key, as DER, of the log called `name`: the same one within a run."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def log_id(name: str) -> bytes:
    """The id of the log called `name`."""
    return sha256(make_key(name)).digest()


def entry(name: str, **fields: Any) -> dict[str, Any]:
    """An RFC 6962 log as a list names it; `fields` are set, or left out where None."""
    raw = {
        "description": name,
        "log_id": b64encode(log_id(name)).decode(),
        "key": b64encode(make_key(name)).decode(),
        "url": f"https://{name.lower()}.example.net/",
        "mmd": 86400,
        "state": {"usable": {"timestamp": "2025-01-01T00:00:00Z"}},
    } | fields
    return {key: value for key, value in raw.items() if value is not None}


def tiled_entry(name: str, **fields: Any) -> dict[str, Any]:
    """A static-ct log as a list names it."""
    place = f"{name.lower()}.example.net"
    urls = {"submission_url": f"https://{place}/", "monitoring_url": f"https://mon.{place}/"}
    return entry(name, **({"url": None, "mmd": 60} | urls | fields))


def list_json(
    *logs: dict[str, Any],
    tiled: tuple[dict[str, Any], ...] = (),
    operator: str = "Operator",
    **top: Any,
) -> bytes:
    """A list of one operator."""
    operators = [{"name": operator, "logs": list(logs), "tiled_logs": list(tiled)}]
    return json.dumps({"operators": operators} | top).encode()


def read_list(*logs: dict[str, Any], **top: Any) -> LogList:
    """The list of `list_json`, read as a user's."""
    return parse_log_list(list_json(*logs, **top), "test")


def read_log(raw: dict[str, Any], program: Program = Program.USER) -> Log:
    """The only log of a list, read as the list of `program`."""
    [log] = parse_log_list(list_json(raw), "test", program).logs
    return log


@cache
def _signer() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signer_pem() -> bytes:
    """The public key of `sign_list`."""
    return _signer().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign_list(data: bytes) -> bytes:
    """A signature as Chrome makes it over its lists."""
    return _signer().sign(data, padding.PKCS1v15(), SHA256())
