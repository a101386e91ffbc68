"""Reading an evidence bundle: strictly, because it is handed around as proof.

What is received is read, what follows from it is made anew, and the whole must then be the
file again, octet for octet. So there is no second spelling, no unknown or repeated key, and
nothing in the file that says something else than what was received.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar

from pinwarden.ct.evidence import (
    FORMAT,
    LARGEST_FILE,
    MOST_CERTIFICATES,
    MOST_SCTS,
    Evidence,
    EvidenceSCT,
    bundle_text,
)
from pinwarden.ct.head import LogID, LogKey
from pinwarden.ct.inclusion import (
    Breach,
    Cause,
    HeadForm,
    Missing,
    NotYet,
    Outcome,
    ProofHead,
    Proven,
    Unprovable,
    parse_proof_head,
    promise_due,
)
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.merkle import HASH_SIZE, NodeHash
from pinwarden.ct.sct import SCTSource, parse_sct
from pinwarden.ct.wire import decode_base64, encode_base64
from pinwarden.errors import MalformedError, quoted
from pinwarden.x509.certificate import view_certificate

__all__ = ["parse_evidence"]

_WHO = "evidence bundle"
_ANY_FORMAT = "pinwarden-ct-evidence-"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_MOST_NODES = 64
# Above it not every JSON parser has whole numbers.
_MOST_NUMBER = 2**53 - 1
_MOST_ANSWER = 1024
_LONGEST_MMD = 30 * 24 * 3600

_E = TypeVar("_E", bound=StrEnum)


def parse_evidence(data: bytes) -> Evidence:
    """A bundle, of which nothing is believed yet; raises `MalformedError`."""
    if len(data) > LARGEST_FILE:
        raise MalformedError(f"{_WHO}: is larger than {LARGEST_FILE >> 20} MiB")
    try:
        value = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise MalformedError(f"{_WHO}: is not JSON in ASCII") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{_WHO}: is not a JSON object")
    form = value.get("format")
    if form != FORMAT:
        if isinstance(form, str) and form.startswith(_ANY_FORMAT):
            raise MalformedError(
                f"{_WHO}: is of the format {quoted(form)}, which a later Pinwarden may read; "
                f"this one reads {quoted(FORMAT)}"
            )
        raise MalformedError(f"{_WHO}: is none: its format is not {quoted(FORMAT)}")
    evidence = _evidence(value)
    if evidence.to_json() != data:
        raise MalformedError(
            f"{_WHO}: was changed after it was made: it is not what its own contents make"
        )
    return evidence


def _evidence(value: Mapping[str, Any]) -> Evidence:
    logs = tuple(_log(each) for each in _objects(value, "logs", MOST_SCTS))
    by_id = {log.log_id: log for log in logs}
    if len(by_id) != len(logs):
        raise MalformedError(f"{_WHO}: names a log twice")
    raws = _objects(value, "scts", MOST_SCTS)
    evidence = Evidence(
        subject=_text(value, "subject"),
        made=_moment(value),
        by=_text(value, "by"),
        certificate=_certificate(value.get("certificate"), "certificate"),
        chain=tuple(
            _certificate(each, "certificate of the chain")
            for each in _list(value, "chain", MOST_CERTIFICATES)
        ),
        logs=logs,
        scts=tuple(_sct(each, by_id) for each in raws),
    )
    for raw, each in zip(raws, evidence.scts, strict=True):
        # One by one, before the whole is written: a small file must not become a large one.
        signed = evidence.signed(each)
        if raw.get("signed") != (None if signed is None else encode_base64(signed)):
            raise MalformedError(f"{_WHO}: an SCT signs something else than the bundle says")
    return evidence


def _certificate(value: object, what: str) -> bytes:
    octets = _octets(value, what)
    if view_certificate(octets).der != octets:
        raise MalformedError(f"{_WHO}: its {what} has octets after its end")
    return octets


def _log(value: Mapping[str, Any]) -> Log:
    key = _octets(value.get("key"), "log key")
    LogKey(key)
    return Log(
        log_id=LogID(sha256(key).digest()),
        key=key,
        description=_text(value, "description"),
        operator=_text(value, "operator"),
        kind=_word(value, "kind", LogKind),
        url=_text(value, "url"),
        origin=_text(value, "origin"),
        mmd=timedelta(seconds=_number(value, "mmd", _LONGEST_MMD)),
    )


def _sct(value: Mapping[str, Any], logs: Mapping[LogID, Log]) -> EvidenceSCT:
    raw = _octets(value.get("sct"), "SCT")
    return EvidenceSCT(_word(value, "source", SCTSource), raw, _outcome(value, raw, logs))


def _outcome(value: Mapping[str, Any], raw: bytes, logs: Mapping[LogID, Log]) -> Outcome:
    word = value.get("outcome")
    if word == "unproven":
        return Unprovable(_word(value, "cause", Cause), _text(value, "reason"))
    sct = parse_sct(raw)
    log = logs.get(sct.log_id)
    if log is None:
        raise MalformedError(f"{_WHO}: lacks the log of an SCT")
    head = _head(value.get("head"), log)
    if word == "not-yet":
        return NotYet(promise_due(sct, log), head)
    proof = _proof(value)
    if word == "included":
        return Proven(index=_number(value, "index", _MOST_NUMBER), head=head, proof=proof)
    if word != "missing":
        raise MalformedError(f"{_WHO}: an SCT has no known outcome")
    answer = _octets(value.get("answer"), "answer of a log")
    if len(answer) > _MOST_ANSWER:
        raise MalformedError(f"{_WHO}: the answer of a log is longer than {_MOST_ANSWER} octets")
    index = None if value.get("index") is None else _number(value, "index", _MOST_NUMBER)
    return Missing(
        breach=_word(value, "breach", Breach),
        head=head,
        index=index,
        other=_octets(value.get("other"), "other entry"),
        proof=proof,
        answer=answer,
    )


def _head(value: object, log: Log) -> ProofHead:
    if not isinstance(value, dict):
        raise MalformedError(f"{_WHO}: an SCT has no tree head")
    form = _word(value, "form", HeadForm)
    if form.is_signed and (form is HeadForm.CHECKPOINT) != (log.kind is LogKind.STATIC):
        raise MalformedError(f"{_WHO}: a tree head is not of its log's protocol")
    return parse_proof_head(form, _octets(value.get("raw"), "tree head"), log)


def _proof(value: Mapping[str, Any]) -> tuple[NodeHash, ...]:
    nodes = [_octets(each, "node of a proof") for each in _list(value, "proof", _MOST_NODES)]
    if any(len(node) != HASH_SIZE for node in nodes):
        raise MalformedError(f"{_WHO}: a proof has a node that is no SHA-256 hash")
    return tuple(NodeHash(node) for node in nodes)


def _list(value: Mapping[str, Any], key: str, most: int) -> list[Any]:
    found = value.get(key)
    if not isinstance(found, list) or len(found) > most:
        raise MalformedError(f"{_WHO}: {key} is not a list of at most {most}")
    return found


def _objects(value: Mapping[str, Any], key: str, most: int) -> list[Mapping[str, Any]]:
    found = _list(value, key, most)
    if not all(isinstance(each, dict) for each in found):
        raise MalformedError(f"{_WHO}: {key} does not consist of objects")
    return found


def _octets(value: object, what: str) -> bytes:
    if not isinstance(value, str):
        raise MalformedError(f"{_WHO}: its {what} is not text")
    return decode_base64(value, f"{_WHO}: its {what}")


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or bundle_text(found) != found:
        raise MalformedError(f"{_WHO}: {key} is not one line of printable text")
    return found


def _number(value: Mapping[str, Any], key: str, most: int) -> int:
    found = value.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise MalformedError(f"{_WHO}: {key} is not a whole number up to {most}")
    return found


def _word(value: Mapping[str, Any], key: str, words: type[_E]) -> _E:
    try:
        return words(value.get(key, ""))
    except ValueError:
        raise MalformedError(f"{_WHO}: {key} is none of {', '.join(words)}") from None


def _moment(value: Mapping[str, Any]) -> datetime:
    text = value.get("made")
    try:
        if isinstance(text, str) and _MOMENT.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise MalformedError(f"{_WHO}: made is not a time such as 2026-11-24T08:00:00Z")
