"""The RFC 6962 face of a lab log: section 4, endpoint by endpoint."""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence

from pinwarden.ct.leaf import EntryType, Extra, encode_extra_data
from pinwarden.ct.log import LogKind
from pinwarden.errors import MalformedError
from pinwarden.lab.exchange import Answer, Question, compress, in_json, refusal
from pinwarden.lab.history import History, flipped
from pinwarden.lab.log import LabLog
from pinwarden.lab.submission import RefusedError, read_chain, sct_json


class _BadRequestError(ValueError):
    """A parameter is missing or makes no sense."""


def answer(log: LabLog, question: Question) -> Answer:
    """The log's answer; the path begins after the log's URL, with `ct/v1/`."""
    if question.method == "POST":
        return submit(log, question, LogKind.RFC6962)
    respond = _ENDPOINTS.get(question.path)
    if respond is None:
        return refusal(404, "no such endpoint")
    try:
        return respond(log, question)
    except (_BadRequestError, MalformedError) as error:
        return refusal(400, str(error))


def submit(log: LabLog, question: Question, kind: LogKind) -> Answer:
    """The answer to add-chain and add-pre-chain, for both protocols."""
    add = {"ct/v1/add-chain": log.add_chain, "ct/v1/add-pre-chain": log.add_pre_chain}.get(
        question.path
    )
    if add is None:
        return refusal(404, "no such endpoint")
    try:
        precertificate = question.path.endswith("add-pre-chain")
        chain = read_chain(question.body, precertificate=precertificate, roots=log.roots)
    except RefusedError as error:
        return refusal(400, str(error))
    return in_json(sct_json(add(chain, kind)))


def roots(log: LabLog, _question: Question) -> Answer:
    """The answer to get-roots."""
    return in_json({"certificates": [b64encode(each).decode() for each in log.roots]})


def warm(log: LabLog) -> None:
    """Make the answers to every aligned range of entries before they are asked for."""
    step = log.most_entries
    for start in range(0, log.served_size, step):
        _entries_body(log, start, min(start + step, log.served_size), gzipped=False)


def _head(log: LabLog, _question: Question) -> Answer:
    return Answer(body=log.head(LogKind.RFC6962))


def _entries(log: LabLog, question: Question) -> Answer:
    start, end = _number(question, "start"), _number(question, "end")
    size = log.served_size
    if start > end:
        raise _BadRequestError("start is larger than end")
    if start >= size:
        raise _BadRequestError(f"need tree size: {start + 1}, have {size}")
    if log.faults.empty_entries:
        return in_json({"entries": []})
    stop = min(end + 1, size, start + log.most_entries)
    if log.faults.short_answers is not None:
        stop = min(stop, start + max(1, log.faults.short_answers))
    gzipped = log.gzip_json and question.takes_gzip
    return Answer(body=_entries_body(log, start, stop, gzipped=gzipped), gzipped=gzipped)


def _entries_body(log: LabLog, start: int, stop: int, *, gzipped: bool) -> bytes:
    history = log.history

    def make() -> bytes:
        body = _encode_entries(history, start, stop)
        return compress(body) if gzipped else body

    return history.shelf.get((start, stop, gzipped), make)


def _encode_entries(history: History, start: int, stop: int) -> bytes:
    parts = [b'{"entries":[']
    for leaf, extra in zip(history.leaves[start:stop], history.extras[start:stop], strict=True):
        parts += (
            b'{"leaf_input":"',
            b2a_base64(leaf, newline=False),
            b'","extra_data":"',
            b2a_base64(_extra_data(leaf, extra), newline=False),
            b'"},',
        )
    parts[-1] = b'"}]}\n'
    return b"".join(parts)


def _extra_data(leaf: bytes, extra: Extra | bytes) -> bytes:
    if isinstance(extra, bytes):
        return extra
    type_ = EntryType.X509 if extra.precertificate is None else EntryType.PRECERT
    return encode_extra_data(type_, extra.precertificate, extra.chain)


def _consistency(log: LabLog, question: Question) -> Answer:
    first, second = _number(question, "first"), _number(question, "second")
    if not 0 < first <= second <= log.served_size:
        raise _BadRequestError("there is no such pair of tree heads")
    return in_json({"consistency": _texts(log.history.tree.consistency_proof(first, second))})


def _proof_by_hash(log: LabLog, question: Question) -> Answer:
    size = _size(log, question)
    try:
        wanted = a2b_base64(question.query.get("hash", ""), strict_mode=True)
    except Base64Error as error:
        raise _BadRequestError("hash is not base64") from error
    history = log.history
    index = history.by_hash.get(wanted)
    if index is None or index >= size:
        return refusal(404, "no entry has this hash")
    proof = _inclusion_proof(log, index, size)
    return in_json({"leaf_index": index, "audit_path": _texts(proof)})


def _entry_and_proof(log: LabLog, question: Question) -> Answer:
    size = _size(log, question)
    index = _number(question, "leaf_index")
    history = log.history
    proof = _inclusion_proof(log, index, size)
    leaf = history.leaves[index]
    return in_json(
        {
            "leaf_input": b64encode(leaf).decode(),
            "extra_data": b64encode(_extra_data(leaf, history.extras[index])).decode(),
            "audit_path": _texts(proof),
        }
    )


def _inclusion_proof(log: LabLog, index: int, size: int) -> list[bytes]:
    proof = log.history.tree.inclusion_proof(index, size)
    return [flipped(node) if log.faults.wrong_proof else node for node in proof]


def _size(log: LabLog, question: Question) -> int:
    size = _number(question, "tree_size")
    if not 0 < size <= log.served_size:
        raise _BadRequestError(f"need tree size: {size}, have {log.served_size}")
    return size


def _number(question: Question, name: str) -> int:
    text = question.query.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise _BadRequestError(f"{name} is not a number")
    return int(text)


def _texts(proof: Sequence[bytes]) -> list[str]:
    return [b64encode(node).decode() for node in proof]


_ENDPOINTS: dict[str, Callable[[LabLog, Question], Answer]] = {
    "ct/v1/get-sth": _head,
    "ct/v1/get-sth-consistency": _consistency,
    "ct/v1/get-proof-by-hash": _proof_by_hash,
    "ct/v1/get-entries": _entries,
    "ct/v1/get-entry-and-proof": _entry_and_proof,
    "ct/v1/get-roots": roots,
}
