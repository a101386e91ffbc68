"""Fuzzes evidence bundles: refused in one line, or read as written, and never a false proof.

`fuzz/target.py` says how it runs. Half of the inputs are sealed anew after they were
damaged, as a forger does, so that they get past the hash at the end.
"""

import base64
import json
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from target import damaged, run

from pinwarden.ct.evidence import Evidence, EvidenceSCT, make_evidence
from pinwarden.ct.evidence_check import verify_evidence
from pinwarden.ct.evidence_reading import parse_evidence
from pinwarden.ct.inclusion import (
    Breach,
    HeadForm,
    Missing,
    NotYet,
    Proven,
    parse_proof_head,
)
from pinwarden.ct.log import Log, LogKind, LogList
from pinwarden.ct.presented import collect_scts
from pinwarden.errors import MalformedError
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.x509.certificate import view_certificate

_NOBODY = LogList(logs=())
_FORMS = {LogKind.RFC6962: HeadForm.STH, LogKind.STATIC: HeadForm.CHECKPOINT}


def _bundles() -> tuple[Evidence, Evidence, LogList]:
    """A bundle of proofs and one of complaints, without a socket."""
    logs = [LabLog(f"log-{kind}", kinds=(kind,)) for kind in _FORMS]
    for log in logs:
        fill(log, 20)
    issued = CA("Fuzz CA").issue(["www.example.com"], logs=logs)
    certificate, *chain = map(view_certificate, issued.certificate_chain)
    presented, _ = collect_scts(certificate)
    proofs: list[tuple[EvidenceSCT, Log]] = []
    complaints: list[tuple[EvidenceSCT, Log]] = []
    for log, sct in zip(logs, presented, strict=True):
        described = log.description()
        head = parse_proof_head(_FORMS[described.kind], log.head(), described)
        index, size = log.size - 1, head.head.size
        proof = tuple(log.history.tree.inclusion_proof(index, size))
        proven = Proven(index=index, head=head, proof=proof)
        proofs.append((EvidenceSCT(sct.source, sct.raw, proven), described))
        until = datetime.now(UTC) + timedelta(days=1)
        missing = Missing(breach=Breach.ABSENT, head=head, index=3, proof=proof, answer=b"no")
        complaints += [
            (EvidenceSCT(sct.source, sct.raw, outcome), described)
            for outcome in (missing, NotYet(until, head))
        ]
    known = LogList(logs=tuple(log.description() for log in logs))
    at = datetime.now(UTC)
    first, second = (
        make_evidence("www.example.com", certificate, chain, each, at=at, by="fuzz")
        for each in (proofs, complaints)
    )
    return first, second, known


_PROVEN, _COMPLAINT, _KNOWN = _bundles()
_SEEDS = (_PROVEN.to_json(), _COMPLAINT.to_json())


def check(data: bytes) -> None:
    try:
        evidence = parse_evidence(data)
    except MalformedError as error:
        check_message(error)
        return
    assert evidence.to_json() == data
    stranger = verify_evidence(evidence, _NOBODY)
    assert not stranger.is_proven
    checked = verify_evidence(evidence, _KNOWN)
    assert all(each.reason.isprintable() for each in checked.scts), checked
    if checked.is_proven:
        # Nobody else has the keys: whatever was done to the file, this was logged.
        assert evidence.certificate == _PROVEN.certificate


def check_message(error: Exception) -> None:
    assert str(error).isprintable(), str(error)


def made_up(number: random.Random) -> bytes:
    """A good one, damaged in the file or in what it holds; sometimes not at all."""
    seed = number.choice(_SEEDS)
    if number.random() < 0.05:
        return seed
    if number.random() < 0.5:
        return damaged(seed, number)
    value = json.loads(seed)
    _spoil(value, number)
    value.pop("sha256", None)
    text = json.dumps(value, indent=1) + "\n"
    sealed = value | {"sha256": sha256(text.encode()).hexdigest()}
    return (json.dumps(sealed, indent=1) + "\n").encode()


def _spoil(value: dict[str, Any], number: random.Random) -> None:
    """Change one thing somewhere."""
    places: list[tuple[Any, Any]] = []

    def collect(inside: Any) -> None:
        keys = inside.keys() if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            places.append((inside, key))
            if isinstance(inside[key], dict | list):
                collect(inside[key])

    collect(value)
    inside, key = number.choice(places)
    inside[key] = _other(inside[key], number)


def _other(value: Any, number: random.Random) -> Any:
    if isinstance(value, str) and number.random() < 0.8:
        try:
            octets = base64.b64decode(value, validate=True)
        except ValueError:
            return value[::-1]
        return base64.b64encode(damaged(octets, number, 1) if octets else b"x").decode()
    if isinstance(value, int) and number.random() < 0.8:
        return value ^ 1 << number.randrange(60)
    return number.choice([None, True, -1, 1.5, "", [], {}, "embedded", 2**70])


if __name__ == "__main__":
    run(check, made_up)
