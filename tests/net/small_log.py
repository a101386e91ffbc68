"""Logs of a few bytes an entry, answered by hand: for answers the lab does not give."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from net.raw_server import Asked, Handler, answer
from pinwarden.ct.entry import EntryType, encode_extra_data, encode_leaf
from pinwarden.ct.head import (
    Head,
    LogID,
    SignatureAlgorithm,
    encode_digitally_signed,
    encode_sth_json,
    parse_sth,
    tree_head_input,
)
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.merkle import RootHash, leaf_hash
from pinwarden.ct.tree import Tree

KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
NOW_MS = 1_790_000_000_000
EXTRA = b64encode(encode_extra_data(EntryType.X509, None, ())).decode()


def described(url: str, kind: LogKind) -> Log:
    """The log at `url` as a log list would have it."""
    return Log(
        log_id=LogID(sha256(SPKI).digest()),
        key=SPKI,
        description="small log",
        kind=kind,
        url=url,
        origin="small.example/log" if kind is LogKind.STATIC else "",
    )


def signature(size: int, root: RootHash) -> bytes:
    """What the log signs a head with."""
    signed = KEY.sign(tree_head_input(size, root, NOW_MS), ec.ECDSA(SHA256()))
    return encode_digitally_signed(SignatureAlgorithm.ECDSA, signed)


def head_of(size: int, root: RootHash) -> Head:
    """A head without a log."""
    return Head(
        size=size,
        root=root,
        timestamp=datetime.fromtimestamp(NOW_MS / 1000, UTC),
        timestamp_ms=NOW_MS,
        signature=b"",
        raw=b"",
        source="sth",
    )


Reply = tuple[str, bytes]


def ok(value: object) -> Reply:
    """An answer in JSON."""
    return "200 OK", json.dumps(value).encode()


NO = ("404 Not Found", b"no")


@dataclass
class SmallLog:
    """An RFC 6962 log; `override` may answer a call in its place."""

    size: int
    cap: int = 10_000
    aligned: bool = False
    override: dict[str, Callable[[dict[str, int | str]], Reply | Handler]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.leaves = [
            encode_leaf(NOW_MS + i, EntryType.X509, b"\x30%d" % i) for i in range(self.size)
        ]
        self.tree = Tree([leaf_hash(leaf) for leaf in self.leaves])
        self.ranges: list[tuple[int, int]] = []

    def head(self, size: int) -> Head:
        """The head of the first entries."""
        root = self.tree.root(size)
        return parse_sth(encode_sth_json(size, root, NOW_MS, signature(size, root)))

    async def __call__(self, asked: Asked, writer: object) -> None:
        """Answer one request."""
        url = urlsplit(asked.path)
        assert url.path.startswith("/log/ct/v1/"), asked.path
        call = url.path.removeprefix("/log/ct/v1/")
        query = {
            name: int(values[0]) if values[0].isdigit() else unquote(values[0])
            for name, values in parse_qs(url.query).items()
        }
        made = self.override.get(call, getattr(self, call.replace("-", "_")))(query)
        handler = made if callable(made) else answer(made[0], made[1])
        await handler(asked, writer)

    def get_sth(self, query: dict) -> Reply:
        return "200 OK", self.head(self.size).raw

    def get_entries(self, query: dict) -> Reply:
        start, stop = query["start"], query["end"] + 1
        self.ranges.append((start, stop))
        most = start + self.cap
        if self.aligned:
            most -= most % self.cap
        return self.entries(start, min(stop, most, self.size))

    def entries(self, start: int, stop: int) -> Reply:
        """The entries as get-entries has them."""
        chosen = self.leaves[start:stop]
        return ok(
            {
                "entries": [
                    {"leaf_input": b64encode(leaf).decode(), "extra_data": EXTRA} for leaf in chosen
                ]
            }
        )

    def get_entry_and_proof(self, query: dict) -> Reply:
        index, size = query["leaf_index"], query["tree_size"]
        path = self.tree.inclusion_proof(index, size)
        return ok(
            {
                "leaf_input": b64encode(self.leaves[index]).decode(),
                "extra_data": EXTRA,
                "audit_path": [b64encode(node).decode() for node in path],
            }
        )

    def get_proof_by_hash(self, query: dict) -> Reply:
        hashes = [b64encode(leaf_hash(leaf)).decode() for leaf in self.leaves]
        index = hashes.index(query["hash"])
        path = self.tree.inclusion_proof(index, query["tree_size"])
        return ok({"leaf_index": index, "audit_path": [b64encode(node).decode() for node in path]})

    def get_sth_consistency(self, query: dict) -> Reply:
        path = self.tree.consistency_proof(query["first"], query["second"])
        return ok({"consistency": [b64encode(node).decode() for node in path]})
