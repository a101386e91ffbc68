"""Log leaves for tests: real ones from the corpus, and made ones."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

from pinwarden.ct.entry import RawBatch, parse_data_tile, parse_get_entries
from pinwarden.ct.leaf import EntryType, encode_leaf


def certificate_leaf(der: bytes) -> bytes:
    """The MerkleTreeLeaf of a final certificate."""
    return encode_leaf(1_700_000_000_000, EntryType.X509, der)


def precert_leaf(tbs: bytes) -> bytes:
    """The MerkleTreeLeaf of a TBSCertificate."""
    return encode_leaf(1_700_000_000_000, EntryType.PRECERT, tbs, b"\x00" * 32)


def real_tile_leaves(corpus: Path) -> list[bytes]:
    """The 512 leaves of the real Sunlight data tiles."""
    folder = corpus / "ct-logs" / "sunlight-navigli2025h2" / "tile" / "data"
    leaves: list[bytes] = []
    for number in (0, 1):
        data = (folder / f"00{number}").read_bytes()
        leaves += parse_data_tile(data, number * 256, 256).leaves
    return leaves


def real_certificates(corpus: Path) -> Iterator[bytes]:
    """Real leaf certificates, in DER."""
    with gzip.open(corpus / "certs-bulk" / "real_leaves.jsonl.gz", "rt") as lines:
        for line in lines:
            yield b64decode(json.loads(line)["der"])


def rejected_certificates(corpus: Path) -> Iterator[bytes]:
    """Certificates that a strict parser rejects, in DER."""
    with gzip.open(corpus / "certs-odd" / "pyca_rejects.jsonl.gz", "rt") as lines:
        for line in lines:
            yield b64decode(json.loads(line)["der"])


def in_batch(leaves: list[bytes]) -> RawBatch:
    """The leaves as the first of a log that says nothing beside them."""
    entry = {"leaf_input": "", "extra_data": b64encode(bytes(3)).decode()}
    body = {"entries": [{**entry, "leaf_input": b64encode(leaf).decode()} for leaf in leaves]}
    return parse_get_entries(json.dumps(body).encode(), 0)
