"""What became of a log's promise to include a certificate: the four outcomes.

*Proven* is an audit path to a head that the log signed. *Missing* is a promise broken, with
what shows it. *Not yet* is a promise with time left. Everything else is *unprovable*, with
the cause, and is never taken for one of the others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pinwarden.ct.head import Head, parse_checkpoint, parse_sth
from pinwarden.ct.log import Log
from pinwarden.ct.merkle import HASH_SIZE, NodeHash, RootHash
from pinwarden.ct.sct import SCT
from pinwarden.ct.wire import decode_base64, encode_base64
from pinwarden.errors import MalformedError

__all__ = [
    "Breach",
    "Cause",
    "HeadForm",
    "Missing",
    "NotYet",
    "Outcome",
    "ProofHead",
    "Proven",
    "Unprovable",
    "final_head",
    "parse_proof_head",
    "promise_due",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HeadForm(StrEnum):
    """Who says what the root of the tree is.

    The first two are signed by the log: the answer to get-sth, or a checkpoint. The last is
    the final tree head that a log list keeps of a log that was closed, signed by nobody but
    whoever made the list.
    """

    STH = "sth"
    CHECKPOINT = "checkpoint"
    LOG_LIST = "log-list"

    @property
    def is_signed(self) -> bool:
        """Whether the log itself vouches for the root."""
        return self is not HeadForm.LOG_LIST


@dataclass(frozen=True, slots=True)
class ProofHead:
    """The tree that a proof is about; `head.raw` is the evidence, as received.

    Of a head from a log list only size, root and `raw` mean anything.
    """

    form: HeadForm
    head: Head


def parse_proof_head(form: HeadForm, raw: bytes, log: Log) -> ProofHead:
    """A head of `log` in one of its three forms; raises `MalformedError`.

    Nothing of it is verified.
    """
    if form is HeadForm.STH:
        return ProofHead(form, parse_sth(raw))
    if form is HeadForm.CHECKPOINT:
        return ProofHead(form, parse_checkpoint(raw, log.origin, log.log_id))
    return _listed_head(raw)


def final_head(log: Log) -> ProofHead | None:
    """The last head of a closed log as its list has it, or None."""
    if log.final_size is None or log.final_root is None:
        return None
    return _listed_head(_listed_raw(log.final_size, log.final_root))


def _listed_raw(size: int, root: RootHash) -> bytes:
    return json.dumps(
        {"tree_size": size, "sha256_root_hash": encode_base64(root)}, separators=(",", ":")
    ).encode()


def _listed_head(raw: bytes) -> ProofHead:
    try:
        value = json.loads(raw)
        size, text = value["tree_size"], value["sha256_root_hash"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise MalformedError("final tree head: is not that of a log list") from None
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
        raise MalformedError("final tree head: has no size")
    if not isinstance(text, str):
        raise MalformedError("final tree head: has no root")
    root = RootHash(decode_base64(text, "root of a final tree head"))
    if len(root) != HASH_SIZE or raw != _listed_raw(size, root):
        raise MalformedError("final tree head: is not written as it is in a bundle")
    head = Head(
        size=size,
        root=root,
        timestamp=_EPOCH,
        timestamp_ms=0,
        signature=b"",
        raw=raw,
        source="sth",
    )
    return ProofHead(HeadForm.LOG_LIST, head)


def promise_due(sct: SCT, log: Log) -> datetime:
    """When the entry has to be in the tree; raises `MalformedError` for no time that there is.

    The times of an SCT reach to the end of the calendar, and the delay beyond it.
    """
    try:
        return sct.timestamp + log.mmd
    except OverflowError:
        raise MalformedError("SCT: is of no time that there is") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The entry is number `index` of the tree of `head`; `proof` is the audit path."""

    index: int
    head: ProofHead
    proof: tuple[NodeHash, ...]


class Breach(StrEnum):
    """What shows that a promise was broken.

    The first two follow from what the log signed, and convince everybody: an SCT that names a
    place, and a head in whose tree something else stands there, or nothing. The others are
    answers that a log gives without a signature.
    """

    OTHER_ENTRY = "other-entry"
    TREE_TOO_SMALL = "tree-too-small"
    ABSENT = "absent"
    WRONG_PROOF = "wrong-proof"

    @property
    def is_signed(self) -> bool:
        """Whether it follows from the log's signatures alone."""
        return self in (Breach.OTHER_ENTRY, Breach.TREE_TOO_SMALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The log broke its promise: the time is over, and the entry is not in its tree.

    `other` is the MerkleTreeLeaf that stands at `index` instead, and `proof` leads from it to
    the root of `head` (`OTHER_ENTRY`), or else is the proof that the log gave, and that does
    not (`WRONG_PROOF`). `answer` is the beginning of what the log said (`ABSENT`).
    """

    breach: Breach
    head: ProofHead
    index: int | None = None
    other: bytes = b""
    proof: tuple[NodeHash, ...] = ()
    answer: bytes = b""


@dataclass(frozen=True, slots=True)
class NotYet:
    """The entry is not in the tree of `head`, and the log has until `until` to enter it."""

    until: datetime
    head: ProofHead


class Cause(StrEnum):
    """Why there is neither a proof nor a broken promise."""

    NOT_VALID = "not-valid"
    UNKNOWN_LOG = "unknown-log"
    NO_ADDRESS = "no-address"
    NO_INDEX = "no-index"
    LOG_SILENT = "log-silent"
    LOG_LAGGING = "log-lagging"
    BAD_ANSWER = "bad-answer"

    @property
    def is_unfinished(self) -> bool:
        """Whether asking at another time could give an answer."""
        return self in (Cause.LOG_SILENT, Cause.LOG_LAGGING)


@dataclass(frozen=True, slots=True)
class Unprovable:
    """Nothing could be shown; `reason` is one line for people."""

    cause: Cause
    reason: str


Outcome = Proven | Missing | NotYet | Unprovable
