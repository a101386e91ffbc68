"""Logs held to their promises: lab logs of both protocols, honest, slow and lying."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pinwarden.audit.proof_findings import findings_of_proofs
from pinwarden.audit.prove import Patience, prove_scts
from pinwarden.ct.evidence_check import EvidenceVerdict, verify_evidence
from pinwarden.ct.evidence_reading import parse_evidence
from pinwarden.ct.inclusion import (
    Breach,
    Cause,
    HeadForm,
    Missing,
    NotYet,
    Outcome,
    Proven,
    Unprovable,
)
from pinwarden.ct.log import LogKind, LogList
from pinwarden.ct.merkle import leaf_hash
from pinwarden.ct.presented import collect_scts, judge_scts
from pinwarden.ct.sct import parse_sct, sct_leaf_hash, x509_entry
from pinwarden.errors import ConfigError
from pinwarden.lab.serve import LabServer
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log
from support.proof_world import HOST, LATER, MMD, Promised, pass_time, promised

KINDS = (LogKind.RFC6962, LogKind.STATIC)


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> LogKind:
    return request.param


async def only_outcome(world: Promised, **how: object) -> Outcome:
    """What became of the one promise."""
    (proof,) = await world.proofs(**how)
    return proof.outcome


def verdict_of(world: Promised, proofs: object) -> EvidenceVerdict:
    """What the bundle shows of the one promise, read back from its file."""
    evidence = parse_evidence(world.bundle(proofs).to_json())
    checked = verify_evidence(evidence, world.log_list)
    assert checked.chain_problem == ""
    return checked.scts[0].verdict


async def test_every_log_proves_its_promise() -> None:
    """Both protocols at once, each with an audit path to a head that the log signed."""
    world = promised(LogKind.RFC6962, LogKind.STATIC)
    async with LabServer(list(world.logs)):
        pass_time(world)
        proofs = await world.proofs()
        bundle = parse_evidence(world.bundle(proofs).to_json())
        checked = verify_evidence(bundle, world.log_list)
    assert [each.outcome.index for each in proofs] == [300, 300]
    assert [each.outcome.head.form for each in proofs] == [HeadForm.STH, HeadForm.CHECKPOINT]
    assert findings_of_proofs(proofs, HOST) == ()
    assert checked.is_proven
    assert [each.verdict for each in checked.scts] == [EvidenceVerdict.PROVEN] * 2


async def test_the_place_of_an_x509_entry(kind: LogKind) -> None:
    """An SCT that comes beside the certificate is about the certificate as a whole."""
    world = promised(kind)
    (log,) = world.logs
    sct = log.add_chain(world.issued.certificate_chain)
    async with LabServer([log]), HTTPClient() as http:
        pass_time(world)
        handed = (len(sct) + 2).to_bytes(2, "big") + len(sct).to_bytes(2, "big") + sct
        presented, problems = collect_scts(world.certificate, handed)
        judged = judge_scts(
            world.certificate, world.chain[0], presented, world.log_list, world.clock()
        )
        embedded, beside = await prove_scts(
            world.certificate,
            world.chain[0],
            judged,
            lambda each: open_log(each, http),
            now=world.clock,
        )
    assert problems == ()
    assert (embedded.outcome.index, beside.outcome.index) == (300, 301)
    leaf = sct_leaf_hash(parse_sct(sct), x509_entry(world.issued.certificate))
    assert leaf == leaf_hash(log.leaf(301))


async def test_a_broken_promise(kind: LogKind) -> None:
    """The time is over and the entry is not there: critical, with what shows it."""
    world = promised(kind, withhold=True)
    async with LabServer(list(world.logs)):
        pass_time(world)
        proofs = await world.proofs()
        verdict = verdict_of(world, proofs)
    outcome = proofs[0].outcome
    assert isinstance(outcome, Missing)
    (finding,) = findings_of_proofs(proofs, HOST)
    assert finding.id == "PW-CT-NOT-INCLUDED"
    evidence = dict(finding.evidence)
    assert evidence["sct"] == proofs[0].judged.raw
    assert evidence["head"] == outcome.head.head.raw
    if kind is LogKind.STATIC:
        # It promised a place, to which its tree does not reach: its own signatures say so.
        assert outcome.breach is Breach.TREE_TOO_SMALL
        assert verdict is EvidenceVerdict.BROKEN_PROMISE
    else:
        assert outcome.breach is Breach.ABSENT
        assert outcome.answer == b"no entry has this hash\n"
        assert verdict is EvidenceVerdict.CLAIMED


async def test_another_entry_at_the_promised_place() -> None:
    """A static log that gave the place away proves with its own tree that it did."""
    world = promised(LogKind.STATIC, withhold=True)
    (log,) = world.logs
    log.add_certificate(world.issued.certificate_chain)
    async with LabServer([log]):
        log.publish()
        proofs = await world.proofs()
        verdict = verdict_of(world, proofs)
    outcome = proofs[0].outcome
    assert isinstance(outcome, Missing)
    assert (outcome.breach, outcome.index) == (Breach.OTHER_ENTRY, 300)
    assert outcome.other == log.leaf(300)
    assert verdict is EvidenceVerdict.BROKEN_PROMISE


async def test_time_that_is_left(kind: LogKind) -> None:
    """Before the maximum merge delay is over nothing is wrong, and nothing is proven."""
    world = promised(kind, withhold=True)
    async with LabServer(list(world.logs)):
        proofs = await world.proofs()
        verdict = verdict_of(world, proofs)
    outcome = proofs[0].outcome
    assert isinstance(outcome, NotYet)
    assert outcome.until == parse_sct(proofs[0].judged.raw).timestamp + MMD
    assert [each.id for each in findings_of_proofs(proofs, HOST)] == ["PW-CT-NOT-YET-INCLUDED"]
    assert verdict is EvidenceVerdict.OPEN


async def test_a_head_that_lags_behind(kind: LogKind) -> None:
    """An old head convicts nobody, however late it is by our clock."""
    world = promised(kind, withhold=True)
    async with LabServer(list(world.logs)):
        world.logs[0].faults.frozen = True
        outcome = await only_outcome(world, now=world.clock() + LATER)
    assert isinstance(outcome, Unprovable)
    assert outcome.cause is Cause.LOG_LAGGING
    assert outcome.cause.is_unfinished


async def test_one_old_front_end_is_asked_past(kind: LogKind) -> None:
    """Where only every second head is new, the proof is found under the new one."""
    world = promised(kind)
    (log,) = world.logs
    async with LabServer([log]):
        pass_time(world)
        log.faults.old_head_every = 2
        first, second = await only_outcome(world), await only_outcome(world)
    assert isinstance(first, Proven)
    assert isinstance(second, Proven)


async def test_a_log_that_is_gone(kind: LogKind) -> None:
    """A refused connection says nothing about the entry."""
    world = promised(kind)
    server = LabServer(list(world.logs))
    async with server:
        pass_time(world)
        server.refuse(world.logs[0])
        outcome = await only_outcome(world)
    assert isinstance(outcome, Unprovable)
    assert outcome.cause is Cause.LOG_SILENT


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        ({"silent": True}, Cause.LOG_SILENT),
        ({"status": 404}, Cause.LOG_SILENT),
        ({"status": 503}, Cause.LOG_SILENT),
        ({"reset": True}, Cause.LOG_SILENT),
        ({"endless": "drip"}, Cause.LOG_SILENT),
        ({"garbage": "html"}, Cause.BAD_ANSWER),
        ({"bad_signature": True}, Cause.BAD_ANSWER),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
async def test_what_logs_do_instead(kind: LogKind, faults: dict[str, object], cause: Cause) -> None:
    """Each ends in its time with an outcome that is no proof, and no accusation."""
    world = promised(kind)
    async with LabServer(list(world.logs)):
        pass_time(world)
        for name, value in faults.items():
            setattr(world.logs[0].faults, name, value)
        outcome = await only_outcome(world)
    assert isinstance(outcome, Unprovable)
    assert outcome.cause is cause


@pytest.mark.parametrize("refused", ["get-proof-by-hash", "get-entries", "ct/v1/get-"])
async def test_whoever_proves_nothing_denies_nothing(refused: str) -> None:
    """A log that refuses everybody has not said that this entry is missing."""
    world = promised(LogKind.RFC6962, withhold=True)
    (log,) = world.logs
    async with LabServer([log]):
        pass_time(world)
        assert isinstance(await only_outcome(world), Missing)
        log.faults.on, log.faults.status = refused, 404
        outcome = await only_outcome(world)
    assert isinstance(outcome, Unprovable)
    assert outcome.cause is Cause.LOG_SILENT


async def test_an_empty_log(kind: LogKind) -> None:
    """A log that promises and then shows an empty tree breaks its promise too."""
    world = promised(kind, withhold=True, crowd=0)
    async with LabServer(list(world.logs)):
        pass_time(world)
        outcome = await only_outcome(world)
    assert isinstance(outcome, Missing)
    assert outcome.head.head.size == 0


async def test_a_wrong_proof(kind: LogKind) -> None:
    """A path that leads elsewhere is told as what it is."""
    world = promised(kind)
    async with LabServer(list(world.logs)):
        pass_time(world)
        world.logs[0].faults.wrong_proof = True
        proofs = await world.proofs()
        verdict = verdict_of(world, proofs)
    outcome = proofs[0].outcome
    assert isinstance(outcome, Missing)
    assert outcome.breach is Breach.WRONG_PROOF
    assert verdict is EvidenceVerdict.CLAIMED


async def test_a_split_view(kind: LogKind) -> None:
    """In the forked tree, correctly signed, the entry is another one."""
    world = promised(kind)
    async with LabServer(list(world.logs)):
        pass_time(world)
        world.logs[0].faults.fork = 10
        proofs = await world.proofs()
        verdict = verdict_of(world, proofs)
    outcome = proofs[0].outcome
    assert isinstance(outcome, Missing)
    if kind is LogKind.STATIC:
        assert outcome.breach is Breach.OTHER_ENTRY
        assert verdict is EvidenceVerdict.BROKEN_PROMISE
    else:
        assert outcome.breach is Breach.ABSENT


async def test_a_closed_log_proves_to_its_final_head() -> None:
    """The last head that a log list keeps is root enough for whoever trusts the list."""
    world = promised(LogKind.STATIC)
    (log,) = world.logs
    async with LabServer([log]):
        pass_time(world)
        closed = replace(
            log.description(), final_size=log.published.size, final_root=log.published.root
        )
        logs = LogList(logs=(closed,))
        log.faults.missing.add("checkpoint")
        proofs = await world.proofs(logs)
        bundle = parse_evidence(world.bundle(proofs).to_json())
        (known,) = verify_evidence(bundle, logs).scts
        (unknown,) = verify_evidence(bundle, world.log_list).scts
    assert proofs[0].outcome.head.form is HeadForm.LOG_LIST
    assert known.verdict is EvidenceVerdict.PROVEN
    assert unknown.verdict is EvidenceVerdict.SELF_VOUCHED


async def test_what_cannot_be_asked() -> None:
    """Unknown logs, logs without an address and SCTs that do not verify are said to be so."""
    world = promised(LogKind.RFC6962)
    async with LabServer(list(world.logs)):
        pass_time(world)
        (described,) = world.log_list.logs
        nowhere = await only_outcome(world, logs=LogList(logs=(replace(described, url=""),)))
        unknown = await only_outcome(
            world, logs=LogList(logs=(promised(LogKind.RFC6962).logs[0].description(),))
        )
        proofs = await world.proofs(LogList(logs=()))
    assert isinstance(nowhere, Unprovable)
    assert nowhere.cause is Cause.NO_ADDRESS
    assert isinstance(unknown, Unprovable)
    assert unknown.cause is Cause.UNKNOWN_LOG
    assert findings_of_proofs(proofs, HOST) == ()


async def test_an_invalid_sct_is_not_asked_about() -> None:
    """What the log did not sign it did not promise."""
    world = promised(LogKind.RFC6962)
    async with LabServer(list(world.logs)), HTTPClient() as http:
        (judged,) = world.judged(LogList(logs=()))
        broken = replace(judged, raw=judged.raw[:-1] + b"\0")
        (again,) = judge_scts(
            world.certificate, world.chain[0], [broken], world.log_list, world.clock()
        )
        (proof,) = await prove_scts(
            world.certificate,
            world.chain[0],
            [again],
            lambda each: open_log(each, http),
            now=world.clock,
        )
        asked = len(world.logs[0].visits)
    assert isinstance(proof.outcome, Unprovable)
    assert proof.outcome.cause is Cause.NOT_VALID
    assert asked == 0


async def test_the_limit_for_one_log() -> None:
    """A log that answers everything slowly gets no more time than one that is silent."""
    world = promised(LogKind.STATIC)
    async with LabServer(list(world.logs)), HTTPClient(limits=Limits(timeout=30)) as http:
        world.logs[0].faults.silent = True
        (proof,) = await prove_scts(
            world.certificate,
            world.chain[0],
            world.judged(),
            lambda each: open_log(each, http),
            now=world.clock,
            patience=Patience(limit=0.2),
        )
    assert isinstance(proof.outcome, Unprovable)
    assert proof.outcome.cause is Cause.LOG_SILENT


async def test_nobody_is_asked_without_a_contact() -> None:
    """That is the user's mistake, and no log's."""
    world = promised(LogKind.RFC6962)
    (described,) = world.log_list.logs
    away = LogList(logs=(replace(described, url="https://log.example/"),))
    with pytest.raises(ConfigError, match="contact"):
        await world.proofs(away)
