"""Evidence bundles that were changed: no accident and no forger gets anything past."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.evidence import Evidence, EvidenceSCT
from pinwarden.ct.evidence_check import verify_evidence
from pinwarden.ct.evidence_reading import parse_evidence
from pinwarden.ct.log import LogList
from pinwarden.ct.merkle import NodeHash
from pinwarden.errors import MalformedError, PinwardenError
from support.evidence_changes import flipped, sealed, with_outcome
from support.proof_world import proven

NOBODY = LogList(logs=())
FLIPS = st.integers(0, 10**9)


@given(place=FLIPS)
def test_no_bit_of_the_file_can_be_changed(place: int) -> None:
    """Whatever it is in: certificate, key, name of a log, time, or white space."""
    evidence, _ = proven()
    with pytest.raises(MalformedError) as refused:
        parse_evidence(flipped(evidence.to_json(), place))
    assert str(refused.value).isprintable()


@given(place=FLIPS, character=st.sampled_from('ABCxyz019+/= \n"{}[],:null'))
def test_no_character_of_the_file_can_be_changed(place: int, character: str) -> None:
    """Nor replaced, nor added, nor left out."""
    data = proven()[0].to_json()
    at = place % len(data)
    octet = character.encode()
    for changed in (
        data[:at] + octet + data[at + 1 :],
        data[:at] + octet + data[at:],
        data[:at] + data[at + 1 :],
        data[:at],
    ):
        if changed != data:
            with pytest.raises(MalformedError):
                parse_evidence(changed)


def _certificate(evidence: Evidence, place: int) -> Evidence:
    return replace(evidence, certificate=flipped(evidence.certificate, place))


def _issuer(evidence: Evidence, place: int) -> Evidence:
    return replace(evidence, chain=(flipped(evidence.chain[0], place), *evidence.chain[1:]))


def _sct(evidence: Evidence, place: int) -> Evidence:
    return with_outcome(evidence, lambda each: replace(each, raw=flipped(each.raw, place)))


def _proof(evidence: Evidence, place: int) -> Evidence:
    def change(each: EvidenceSCT) -> EvidenceSCT:
        nodes = list(each.outcome.proof)
        nodes[place % len(nodes)] = NodeHash(flipped(nodes[place % len(nodes)], place))
        return replace(each, outcome=replace(each.outcome, proof=tuple(nodes)))

    return with_outcome(evidence, change)


def _index(evidence: Evidence, place: int) -> Evidence:
    return with_outcome(
        evidence,
        lambda each: replace(
            each, outcome=replace(each.outcome, index=each.outcome.index ^ 1 << place % 30)
        ),
    )


def _head_root(evidence: Evidence, place: int) -> Evidence:
    return _in_head(evidence, "sha256_root_hash", place)


def _head_signature(evidence: Evidence, place: int) -> Evidence:
    return _in_head(evidence, "tree_head_signature", place)


def _in_head(evidence: Evidence, field: str, place: int) -> Evidence:
    def change(each: EvidenceSCT) -> EvidenceSCT:
        value = json.loads(each.outcome.head.head.raw)
        octets = flipped(base64.b64decode(value[field]), place)
        value[field] = base64.b64encode(octets).decode()
        found = each.outcome.head
        head = replace(found.head, raw=json.dumps(value).encode())
        return replace(each, outcome=replace(each.outcome, head=replace(found, head=head)))

    return with_outcome(evidence, change)


def _key(evidence: Evidence, place: int) -> Evidence:
    first, *others = evidence.logs
    return replace(evidence, logs=(replace(first, key=flipped(first.key, place)), *others))


CHANGES = (*(_certificate, _issuer, _sct, _proof, _index, _head_root, _head_signature, _key),)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
@given(place=FLIPS)
def test_nothing_that_counts_can_be_changed_with_care(
    change: Callable[[Evidence, int], Evidence], place: int
) -> None:
    """Also a forger who writes the file anew, with its hash, gets no bit past the signatures."""
    evidence, known = proven()
    try:
        changed = change(evidence, place).to_json()
    except PinwardenError:
        return
    # What follows from a changed head is made anew by the forger too.
    for data in (changed, _resealed(changed)):
        try:
            checked = verify_evidence(parse_evidence(data), known)
        except MalformedError:
            continue
        assert not checked.is_proven
        # With a key that is flipped nobody knows the log any more.
        self_vouched = verify_evidence(parse_evidence(data), NOBODY)
        assert self_vouched.is_refused


def _resealed(data: bytes) -> bytes:
    """The file after everything in it that follows from something else was made to fit."""
    value = json.loads(data)
    for each in value["scts"]:
        head = each["head"]
        if head["form"] != "sth":
            continue
        try:
            sth = json.loads(base64.b64decode(head["raw"]))
            head["root"] = sth["sha256_root_hash"]
            head["signature"] = base64.b64encode(
                base64.b64decode(sth["tree_head_signature"])[4:]
            ).decode()
            signed = base64.b64decode(head["signed"])[:18] + base64.b64decode(head["root"])
            head["signed"] = base64.b64encode(signed).decode()
        except ValueError:
            return data
    return sealed(value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"pinwarden-ct-evidence-1"',
        b"[" * 100_000,
        b'{"format": "pinwarden-ct-evidence-2"}',
        b'{"format": "pinwarden-ct-evidence-1"}',
        '{"format": "ß"}'.encode(),
        b'{"format": "pinwarden-ct-evidence-1", "logs": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + b'{"format": "pinwarden-ct-evidence-1"}',
    ],
    ids=lambda text: repr(text[:24]),
)
def test_what_is_no_bundle(text: bytes) -> None:
    """One line says so, whatever it is."""
    with pytest.raises(MalformedError) as refused:
        parse_evidence(text)
    assert str(refused.value).startswith("evidence bundle: ")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("made",), "2026-11-24"),
        (("made",), "2026-02-30T00:00:00Z"),
        (("by",), "Pinwarden\x1b[2J"),
        (("subject",), "x" * 301),
        (("certificate",), "AAAA"),
        (("certificate",), None),
        (("chain",), {}),
        (("chain",), ["AAAA"] * 21),
        (("logs", 0, "mmd"), True),
        (("logs", 0, "mmd"), 60.0),
        (("logs", 0, "key"), "AAAA"),
        (("logs", 0, "kind"), "rfc9162"),
        (("logs",), [[]]),
        (("scts", 0, "outcome"), "perhaps"),
        (("scts", 0, "source"), ["embedded"]),
        (("scts", 0, "index"), -1),
        (("scts", 0, "index"), 2**53),
        (("scts", 0, "proof"), ["AAAA"]),
        (("scts", 0, "proof"), ["A" * 43 + "="] * 65),
        (("scts", 0, "head"), None),
        (("scts", 0, "head", "form"), "checkpoint"),
        (("scts", 0, "head", "form"), "log-list"),
        (("scts", 0, "head", "raw"), ""),
        (("scts", 0, "sct"), "AAAA"),
        (("extra",), 1),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else repr(value)[:16],
)
def test_fields_that_make_no_sense(path: tuple[str | int, ...], value: object) -> None:
    """Each is refused, though the hash at the end was made to fit."""
    document = json.loads(proven()[0].to_json())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(MalformedError):
        parse_evidence(sealed(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: text + b"{}",
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b'"index": 300', b'"index": 300.0'),
        lambda text: text.replace(b'"index": 300', b'"index": NaN'),
        lambda text: text.replace(b'"index": 300', b'"index": 3e2'),
        lambda text: text.replace(b'"index": 300', b'"index": 300,\n   "index": 300'),
    ],
    ids=["bom", "utf-16", "trailing", "crlf", "float", "nan", "exponent", "repeated-key"],
)
def test_other_spellings(change: Callable[[bytes], bytes]) -> None:
    """What other JSON parsers read in another way is not read at all."""
    with pytest.raises(MalformedError):
        parse_evidence(change(proven()[0].to_json()))


def test_a_format_of_later() -> None:
    """It may be fine, and is not called changed."""
    with pytest.raises(MalformedError, match="'pinwarden-ct-evidence-2', which a later Pinwarden"):
        parse_evidence(b'{"format": "pinwarden-ct-evidence-2"}')
