"""The static-ct face of a lab log: the submission prefix and the monitoring prefix.

Static CT API of C2SP, version 1.1.0. The monitoring prefix is nothing but files:
`checkpoint`, `tile/…` and `issuer/…`.
"""

from __future__ import annotations

import re
from hashlib import sha256

from pinwarden.ct.leaf import Extra, encode_tile_leaf
from pinwarden.ct.log import LogKind
from pinwarden.lab import rfc6962
from pinwarden.lab.exchange import Answer, Question, compress, refusal
from pinwarden.lab.history import History, flipped
from pinwarden.lab.log import TILE_WIDTH, LabLog

_TILE = re.compile(r"tile/(data|[0-5])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_ISSUER = re.compile(r"issuer/([0-9a-f]{64})")
_NOT_FOUND = refusal(404, "no such file")


def answer_submission(log: LabLog, question: Question) -> Answer:
    """The answer below the submission prefix."""
    if question.method == "POST":
        return rfc6962.submit(log, question, LogKind.STATIC)
    if question.path == "ct/v1/get-roots":
        return rfc6962.roots(log, question)
    return _NOT_FOUND


def answer(log: LabLog, question: Question) -> Answer:
    """The answer below the monitoring prefix."""
    path = question.path
    if any(path.endswith(each) for each in log.faults.missing):
        return _NOT_FOUND
    if path == "checkpoint":
        return Answer(body=log.head(LogKind.STATIC), content_type="text/plain; charset=utf-8")
    if match := _TILE.fullmatch(path):
        return _tile(log, *match.groups())
    if match := _ISSUER.fullmatch(path):
        return _issuer(log, bytes.fromhex(match[1]))
    return _NOT_FOUND


def warm(log: LabLog) -> None:
    """Make every full data tile before it is asked for."""
    for index in range(log.served_size // TILE_WIDTH):
        _data_tile(log, index, TILE_WIDTH)


def _tile(log: LabLog, level: str, place: str, partial: str | None) -> Answer:
    index = int(re.sub("[x/]", "", place))
    width = int(partial or TILE_WIDTH)
    if place != _place(index) or width > TILE_WIDTH - bool(partial):
        return _NOT_FOUND
    # static-ct-api, "Merkle Tree": a node of level L covers 256^L entries.
    nodes = log.served_size >> (0 if level == "data" else 8 * int(level))
    there = min(TILE_WIDTH, nodes - index * TILE_WIDTH)
    gone = log.faults.partial_tile_404 and there == TILE_WIDTH and width < TILE_WIDTH
    if width > there or gone:
        return _NOT_FOUND
    if level == "data":
        return _data_tile(log, index, width)
    body = log.history.tree.tile(int(level), index, width)
    if log.faults.wrong_proof:
        body = b"".join(flipped(body[i : i + 32]) for i in range(0, len(body), 32))
    return Answer(body=body, content_type="application/octet-stream")


def _place(index: int) -> str:
    """The number in groups of three digits, all but the last behind an x (tlog-tiles)."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)


def _data_tile(log: LabLog, index: int, width: int) -> Answer:
    history, gzipped = log.history, log.gzip_tiles

    def make() -> bytes:
        body = _encode_tile(history, index * TILE_WIDTH, width)
        return compress(body) if gzipped else body

    return Answer(
        body=history.shelf.get((index, width, gzipped, "tile"), make),
        content_type="application/octet-stream",
        gzipped=gzipped,
    )


def _encode_tile(history: History, first: int, width: int) -> bytes:
    stop = first + width
    return b"".join(
        _tile_leaf(leaf, extra)
        for leaf, extra in zip(history.leaves[first:stop], history.extras[first:stop], strict=True)
    )


def _tile_leaf(leaf: bytes, extra: Extra | bytes) -> bytes:
    if isinstance(extra, bytes):
        return leaf[2:] + extra
    return encode_tile_leaf(leaf, extra.precertificate, extra.chain_fingerprints)


def _issuer(log: LabLog, fingerprint: bytes) -> Answer:
    issuer = log.issuers.get(fingerprint)
    if issuer is None:
        return _NOT_FOUND
    assert sha256(issuer).digest() == fingerprint
    return Answer(body=issuer, content_type="application/pkix-cert")
