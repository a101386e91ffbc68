"""What proofs come to: findings in plain words, and bundles of real certificates."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinwarden.audit.proof_findings import BREACHES, evidence_of_proofs, findings_of_proofs
from pinwarden.audit.prove import SCTProof
from pinwarden.ct.evidence import LARGEST_FILE, EvidenceSCT, make_evidence
from pinwarden.ct.evidence_check import EvidenceVerdict, verify_evidence
from pinwarden.ct.evidence_reading import parse_evidence
from pinwarden.ct.inclusion import Breach, Cause, Missing, NotYet, Unprovable
from pinwarden.ct.issuer import issuer_among
from pinwarden.ct.known_logs import known_logs
from pinwarden.ct.log import LogKind
from pinwarden.ct.presented import collect_scts, judge_scts
from pinwarden.ct.sct import SCTSource
from pinwarden.errors import MalformedError
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import view_certificate, view_tbs
from support.proof_world import HOST, promised, proven

AT = datetime(2026, 11, 24, tzinfo=UTC)
UNASKED = Unprovable(Cause.LOG_SILENT, "nobody was asked")


def test_real_certificates_make_bundles_that_are_read(corpus: Path) -> None:
    """Chains of big sites hold in the bundle, expired and cross-signed as they are."""
    count = 0
    with gzip.open(corpus / "real-chains" / "limbo_online_2023-2026.jsonl.gz", "rt") as lines:
        for record in map(json.loads, lines):
            leaf = view_certificate(b64decode(record["leaf"]))
            chain = [view_certificate(b64decode(e)) for e in record["chain"] + record["roots"]]
            issuer = issuer_among(leaf, chain)
            judged = judge_scts(leaf, issuer, collect_scts(leaf)[0], known_logs(), AT)
            proofs = [SCTProof(each, UNASKED) for each in judged]
            evidence = evidence_of_proofs(
                record["host"], leaf, issuer, chain, proofs, at=AT, by="Pinwarden test"
            )
            checked = verify_evidence(parse_evidence(evidence.to_json()), known_logs())
            assert checked.chain_problem == "", record["host"]
            assert len(evidence.chain) >= 2
            assert {each.verdict for each in checked.scts} == {EvidenceVerdict.OPEN}
            count += len(judged)
    assert count > 200


@pytest.mark.parametrize("breach", Breach, ids=str)
def test_broken_promises_in_words(breach: Breach) -> None:
    """Who, and what shows it, in a line; the octets go with it."""
    evidence, _ = proven()
    world = promised(LogKind.RFC6962, crowd=1)
    (judged,) = world.judged()
    head = evidence.scts[0].outcome.head
    missing = Missing(breach=breach, head=head, other=b"other", answer=b"no such entry")
    (finding,) = findings_of_proofs([SCTProof(judged, missing)], HOST)
    assert finding.id == "PW-CT-NOT-INCLUDED"
    # What nobody signed is told as what it is.
    verb = "broke its promise" if breach.is_signed else "does not keep its promise"
    assert finding.message == f"log Operator 0 'log-0' rfc6962 {verb}: {BREACHES[breach]}"
    assert ("not sign" in finding.message) is not breach.is_signed
    assert dict(finding.details)["breach"] == str(breach)
    assert dict(finding.evidence) == {
        "sct": judged.raw,
        "head": head.head.raw,
        "other entry": b"other",
        "answer": b"no such entry",
    }


def test_what_is_no_finding() -> None:
    """A proof is none, nor is silence; time that is left is told."""
    evidence, _ = proven()
    (judged,) = promised(LogKind.RFC6962, crowd=1).judged()
    head = evidence.scts[0].outcome.head
    outcomes = (evidence.scts[0].outcome, UNASKED, NotYet(AT + timedelta(days=1), head))
    found = findings_of_proofs([SCTProof(judged, each) for each in outcomes], HOST)
    assert [each.id for each in found] == ["PW-CT-NOT-YET-INCLUDED"]
    assert "has until 2026-11-25 00:00:00Z" in found[0].message


def test_a_chain_out_of_order_is_put_in_order() -> None:
    """Servers send chains in any order, and what nobody needs besides."""
    world = promised(LogKind.RFC6962, crowd=1)
    stranger = view_certificate(CA("Stranger").root)
    issuer, root = world.chain
    proofs = [SCTProof(each, UNASKED) for each in world.judged()]
    evidence = evidence_of_proofs(
        HOST, world.certificate, issuer, (root, stranger, issuer), proofs, at=AT, by="test"
    )
    assert evidence.chain == (issuer.der, root.der)


def test_a_root_that_no_reader_could_verify_is_left_out() -> None:
    """As one of a new key under its old name: the bundle must not be refused for it."""
    world = promised(LogKind.RFC6962, crowd=1)
    issuer, root = world.chain
    rekeyed = view_certificate(root.der[:-1] + bytes([root.der[-1] ^ 1]))
    proofs = [SCTProof(each, UNASKED) for each in world.judged()]
    evidence = evidence_of_proofs(
        HOST, world.certificate, issuer, (issuer, rekeyed), proofs, at=AT, by="test"
    )
    assert evidence.chain == (issuer.der,)
    assert verify_evidence(parse_evidence(evidence.to_json()), world.log_list).chain_problem == ""


def test_a_hostile_host_cannot_make_a_large_bundle() -> None:
    """Two hundred SCTs beside a large certificate cost no two hundred copies of it."""
    issued = CA("Large").issue([f"{i}.{'x' * 60}.example.com" for i in range(2000)])
    leaf, *chain = map(view_certificate, issued.certificate_chain)
    assert len(issued.certificate) > 100_000
    broken = [(EvidenceSCT(SCTSource.TLS, bytes([i]) * 90, UNASKED), None) for i in range(200)]
    evidence = make_evidence("x", leaf, chain, broken, at=AT, by="test")
    assert len(evidence.to_json()) < 500_000
    much = make_evidence(
        "x",
        leaf,
        chain,
        [(EvidenceSCT(SCTSource.TLS, bytes(30_000), UNASKED), None)] * 200,
        at=AT,
        by="test",
    )
    with pytest.raises(MalformedError, match=f"larger than {LARGEST_FILE >> 20} MiB"):
        much.to_json()


def test_no_bundle_of_a_tbs_certificate() -> None:
    """There is nothing that a third party could compare."""
    leaf = view_certificate(CA("Some CA").issue([HOST]).certificate)
    with pytest.raises(MalformedError):
        make_evidence("x", view_tbs(leaf.tbs), (), (), at=AT, by="test")
