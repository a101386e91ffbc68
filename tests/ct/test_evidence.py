"""Evidence bundles: one spelling, nothing that can be changed, and what each one proves."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.evidence import FORMAT, Evidence, EvidenceSCT, bundle_text
from pinwarden.ct.evidence_check import EvidenceVerdict, verify_evidence
from pinwarden.ct.evidence_reading import parse_evidence
from pinwarden.ct.inclusion import Breach, Cause, Missing, NotYet, Proven, Unprovable
from pinwarden.ct.known_logs import known_logs
from pinwarden.ct.log import LogKind, LogList
from pinwarden.ct.sct import SCTSource
from pinwarden.errors import MalformedError
from pinwarden.lab import asn1
from pinwarden.lab.ca import CA, new_key, spki_of
from pinwarden.x509.certificate import view_certificate
from support.evidence_changes import sealed, with_outcome
from support.evidence_recipe import checked_by_recipe
from support.proof_world import authority, proven

NOBODY = LogList(logs=())


def verdicts(evidence: Evidence, known: LogList) -> list[EvidenceVerdict]:
    """What a bundle shows of each SCT, after it was written and read again."""
    return [each.verdict for each in verify_evidence(reread(evidence), known).scts]


def reread(evidence: Evidence) -> Evidence:
    """The bundle as a reader has it; whoever changed it has written it with care."""
    return parse_evidence(evidence.to_json())


def is_proven(evidence: Evidence, known: LogList) -> bool:
    """Whether everything in it is believed."""
    try:
        return verify_evidence(reread(evidence), known).is_proven
    except MalformedError:
        return False


def test_a_bundle_reads_as_it_was_written() -> None:
    """All of it, and in one spelling."""
    evidence, known = proven()
    data = evidence.to_json()
    again = parse_evidence(data)
    assert again.to_json() == data
    assert again == evidence
    assert verify_evidence(again, known).is_proven
    assert data.isascii()
    assert json.loads(data)["format"] == FORMAT


def test_it_is_proven_years_later() -> None:
    """No date of today plays a part: the certificate expired, and the logs are closed."""
    evidence, known = proven()
    old = replace(evidence, made=evidence.made - timedelta(days=20 * 365))
    assert is_proven(old, known)


def test_a_bundle_with_keys_that_nobody_knows() -> None:
    """It is sound in itself, and vouches for itself: that is not proven."""
    evidence, _ = proven()
    checked = verify_evidence(reread(evidence), NOBODY)
    assert not checked.is_proven
    assert not checked.is_refused
    assert [each.verdict for each in checked.scts] == [EvidenceVerdict.SELF_VOUCHED] * 2
    assert all("vouches for itself" in each.reason for each in checked.scts)
    # Even the real log lists do not know the logs of a lab.
    assert not verify_evidence(evidence, known_logs()).is_proven


def test_no_scts_prove_nothing() -> None:
    """A bundle without any is read, and is not proven."""
    evidence, known = proven()
    assert not is_proven(replace(evidence, scts=(), logs=()), known)


def test_another_certificate_of_the_same_ca() -> None:
    """Proof and SCTs of one certificate are none for another."""
    evidence, known = proven()
    other = authority().issue(["other.example.com"])
    assert (
        verdicts(replace(evidence, certificate=other.certificate), known)
        == [EvidenceVerdict.REFUSED] * 2
    )


def test_an_sct_is_said_to_be_embedded_that_is_not() -> None:
    """Where an SCT comes from is part of what is claimed."""
    evidence, known = proven()
    changed = with_outcome(evidence, lambda each: replace(each, source=SCTSource.TLS))
    assert verdicts(changed, known)[0] is EvidenceVerdict.REFUSED


def test_proofs_of_two_logs_exchanged() -> None:
    """A proof is of one log."""
    evidence, known = proven()
    first, second = evidence.scts
    crossed = replace(
        evidence,
        scts=(replace(first, outcome=replace(first.outcome, proof=second.outcome.proof)), second),
    )
    assert verdicts(crossed, known) == [EvidenceVerdict.REFUSED, EvidenceVerdict.PROVEN]


def test_a_chain_that_does_not_hold() -> None:
    """What stands above the certificate must have signed what stands below it."""
    evidence, known = proven()
    for chain in (evidence.chain[::-1], (evidence.chain[0], evidence.chain[0])):
        checked = verify_evidence(reread(replace(evidence, chain=chain)), known)
        assert checked.chain_problem
        assert not checked.is_proven
        assert checked.is_refused


def test_a_root_that_was_changed() -> None:
    """A root is nobody's to prove, but what it signed itself must be as it signed it."""
    evidence, known = proven()
    root = evidence.chain[-1]
    for changed in (root[:-1] + bytes([root[-1] ^ 1]), root[:30] + b"\x55" + root[31:]):
        checked = verify_evidence(replace(evidence, chain=(evidence.chain[0], changed)), known)
        assert checked.chain_problem


def test_an_issuer_that_is_no_ca() -> None:
    """Whoever has any certificate could issue one for every name, under a real root."""
    evidence, known = proven()
    server = authority().issue(["server.example.com"])
    mallory = CA("Mallory")
    mallory.key = server.private_key
    name = view_certificate(server.certificate).subject
    forged = mallory.sign(
        asn1.replace_field(view_certificate(evidence.certificate).tbs, asn1.ISSUER, name)
    )
    chain = (server.certificate, *evidence.chain)
    checked = verify_evidence(
        reread(replace(evidence, certificate=forged, chain=chain, scts=(), logs=())), known
    )
    assert "not that of a CA" in checked.chain_problem
    assert checked.is_refused


def test_the_same_sct_twice() -> None:
    """It is one promise, and the second is told to be the first again."""
    evidence, known = proven()
    first, second = evidence.scts
    again = reread(replace(evidence, scts=(first, second, first)))
    reasons = [each.reason for each in verify_evidence(again, known).scts]
    assert [each.endswith("the same SCT as before") for each in reasons] == [False, False, True]


def test_only_a_static_log_promises_a_place() -> None:
    """Whoever calls an RFC 6962 log a static one cannot hold it to a place that it never named."""
    evidence, known = proven()
    (static,) = (each for each in known.logs if each.kind is LogKind.STATIC)
    renamed = LogList(logs=(replace(static, kind=LogKind.RFC6962),))
    (each,) = (each for each in evidence.scts if each.sct.log_id == static.log_id)
    other = replace(
        each,
        outcome=Missing(
            breach=Breach.OTHER_ENTRY,
            head=each.outcome.head,
            index=each.outcome.index,
            other=b"another",
            proof=each.outcome.proof,
        ),
    )
    (checked,) = verify_evidence(replace(evidence, scts=(other,)), renamed).scts
    assert checked.verdict is EvidenceVerdict.REFUSED
    assert "no static log" in checked.reason


def test_the_delay_of_a_log_is_what_is_known_here() -> None:
    """A bundle says how long a log may take; of a known log it is not believed."""
    evidence, known = proven()
    waiting = with_outcome(
        evidence,
        lambda each: replace(
            each, outcome=NotYet(each.sct.timestamp + timedelta(days=9), each.outcome.head)
        ),
    )
    long = replace(
        waiting, logs=tuple(replace(each, mmd=timedelta(days=9)) for each in waiting.logs)
    )
    assert verdicts(long, NOBODY)[0] is EvidenceVerdict.OPEN
    assert verdicts(long, known)[0] is EvidenceVerdict.REFUSED


def test_an_intermediate_alone_is_enough() -> None:
    """The root is nobody's to prove: SCTs sign the key of the issuer."""
    evidence, known = proven()
    assert is_proven(replace(evidence, chain=evidence.chain[:1]), known)
    assert verdicts(replace(evidence, chain=()), known) == [EvidenceVerdict.REFUSED] * 2


def test_unproven_is_open() -> None:
    """Nothing is claimed, so nothing is refused, and nothing is proven."""
    evidence, known = proven()
    changed = with_outcome(
        evidence, lambda each: replace(each, outcome=Unprovable(Cause.LOG_SILENT, "no answer"))
    )
    checked = verify_evidence(reread(changed), known)
    assert [each.verdict for each in checked.scts] == [EvidenceVerdict.OPEN, EvidenceVerdict.PROVEN]
    assert not checked.is_proven
    assert not checked.is_refused


def test_an_unreadable_sct_is_kept() -> None:
    """It was received like this, and proves nothing."""
    evidence, known = proven()
    broken = EvidenceSCT(SCTSource.TLS, b"\x07what", Unprovable(Cause.NOT_VALID, "unknown version"))
    assert verdicts(replace(evidence, scts=(broken,)), known) == [EvidenceVerdict.OPEN]


@pytest.mark.parametrize("breach", Breach, ids=str)
def test_a_broken_promise_is_not_made_up(breach: Breach) -> None:
    """Whoever accuses a log that kept its promise is refused, or has nothing but his word."""
    evidence, known = proven()
    accused = replace(
        evidence,
        scts=tuple(
            replace(
                each,
                outcome=Missing(
                    breach=breach,
                    head=each.outcome.head,
                    index=each.outcome.index,
                    other=b"another",
                    proof=each.outcome.proof,
                    answer=b"no",
                ),
            )
            for each in evidence.scts
        ),
    )
    claimed = EvidenceVerdict.CLAIMED if breach is Breach.ABSENT else EvidenceVerdict.REFUSED
    assert verdicts(accused, known) == [claimed] * 2


def test_time_that_is_over_is_not_left() -> None:
    """A bundle cannot say that a log has time, under a head that is later."""
    evidence, known = proven()
    changed = with_outcome(
        evidence,
        lambda each: replace(
            each, outcome=NotYet(each.sct.timestamp + timedelta(minutes=1), each.outcome.head)
        ),
    )
    assert verdicts(changed, known)[0] is EvidenceVerdict.REFUSED


@given(st.text(max_size=400))
def test_text_in_a_bundle_is_always_printable(text: str) -> None:
    """And reads as what it was written as."""
    shown = bundle_text(text)
    assert shown.isprintable()
    assert len(shown) <= 300
    assert bundle_text(shown) == shown


def test_a_bundle_too_large() -> None:
    """It is not even looked at."""
    with pytest.raises(MalformedError, match="larger than 4 MiB"):
        parse_evidence(b" " * (4 << 20) + b"  ")


@pytest.mark.parametrize("number", [0, 1])
def test_the_recipe_on_the_page(number: int, tmp_path: Path) -> None:
    """A shell, jq and OpenSSL come to the same answer; so they do about what was changed."""
    data = proven()[0].to_json()
    ran = checked_by_recipe(data, number, tmp_path)
    assert ran.returncode == 0, ran
    assert ran.stdout.endswith("proven:     DNS:www.example.com\n")
    value = json.loads(data)
    proof = value["scts"][number]["proof"]
    proof[0], proof[1] = proof[1], proof[0]
    assert checked_by_recipe(sealed(value), number, tmp_path).returncode != 0
    assert checked_by_recipe(data[:-3] + b'a"\n}', number, tmp_path).returncode != 0


@pytest.mark.parametrize("number", [0, 1])
def test_the_recipe_and_a_certificate_of_another_key(number: int, tmp_path: Path) -> None:
    """A CA can put the SCTs of one certificate into another that differs in the key alone."""
    evidence, _ = proven()
    honest = view_certificate(evidence.certificate)
    tbs = honest.tbs.replace(honest.spki, spki_of(new_key()))
    assert len(tbs) == len(honest.tbs)
    value = json.loads(evidence.to_json())
    value["certificate"] = base64.b64encode(authority().sign(tbs)).decode()
    ran = checked_by_recipe(sealed(value), number, tmp_path)
    assert "certificate.pem: OK" in ran.stdout
    assert "tbs.before logged.before differ" in ran.stdout + ran.stderr
    assert ran.returncode != 0
    with pytest.raises(MalformedError):
        parse_evidence(sealed(value))


def test_the_recipe_takes_no_leaf_for_a_tree_head(tmp_path: Path) -> None:
    """A log signs both with one key; whoever writes a certificate writes the end of its leaf."""
    value = json.loads(proven()[0].to_json())
    each = value["scts"][0]
    signed = base64.b64decode(each["signed"])
    each["head"] |= {
        "signed": each["signed"],
        "signature": each["signature"],
        "root": base64.b64encode(signed[-32:]).decode(),
        "size": int.from_bytes(signed[10:18], "big"),
    }
    ran = checked_by_recipe(sealed(value), 0, tmp_path)
    assert ran.stdout.count("Verified OK") == 2
    assert ran.returncode != 0


def test_checked_with_openssl_and_nothing_else(tmp_path: Path) -> None:
    """The signatures and the audit path hold, without a line of ours."""
    document = json.loads(proven()[0].to_json())
    keys = {each["log_id"]: each["key"] for each in document["logs"]}
    for each in document["scts"]:
        (tmp_path / "log.der").write_bytes(base64.b64decode(keys[each["log_id"]]))
        _openssl_verify(tmp_path, each["signed"], each["signature"])
        _openssl_verify(tmp_path, each["head"]["signed"], each["head"]["signature"])
        digest = sha256(b"\0" + base64.b64decode(each["signed"])).digest()
        number, last = each["index"], each["head"]["size"] - 1
        for node in map(base64.b64decode, each["proof"]):
            if number % 2 or number == last:
                digest = sha256(b"\1" + node + digest).digest()
                while number % 2 == 0 and number:
                    number, last = number // 2, last // 2
            else:
                digest = sha256(b"\1" + digest + node).digest()
            number, last = number // 2, last // 2
        assert base64.b64encode(digest).decode() == each["head"]["root"]
        assert base64.b64decode(each["head"]["signed"])[18:] == digest


def _openssl_verify(folder: Path, message: str, signature: str) -> None:
    (folder / "message").write_bytes(base64.b64decode(message))
    (folder / "signature").write_bytes(base64.b64decode(signature))
    subprocess.run(
        [
            *("openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", "log.der"),
            *("-signature", "signature", "message"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=30,
    )


def test_made_is_in_whole_seconds() -> None:
    """What is written is what is read."""
    evidence, _ = proven()
    assert evidence.made.microsecond == 0
    assert evidence.made.tzinfo is UTC
    assert datetime.fromisoformat(json.loads(evidence.to_json())["made"]) == evidence.made
    assert isinstance(evidence.scts[0].outcome, Proven)
