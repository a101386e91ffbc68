"""A lab log is an honest log: checked against the definitions, without our own code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature

from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import CA, new_key
from pinwarden.lab.exchange import Question
from pinwarden.lab.log import LabLog
from pinwarden.lab.odd_leaves import odd_leaves
from pinwarden.lab.rfc6962 import answer
from support import oracle

from .conftest import BOTH, Clock

Fill = Callable[[LabLog, int], None]


def sth(log: LabLog) -> oracle.TreeHead:
    return oracle.read_sth(log.head(LogKind.RFC6962), log.face(LogKind.RFC6962).spki)


def checkpoint(log: LabLog) -> oracle.TreeHead:
    face = log.face(LogKind.STATIC)
    return oracle.read_checkpoint(log.head(LogKind.STATIC), face.spki, log.origin)


@pytest.fixture
def log(clock: Clock) -> LabLog:
    return LabLog("a", kinds=BOTH, clock=clock)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 21])
def test_a_head_is_signed_and_its_root_made_of_the_leaves(
    kind: str, size: int, clock: Clock, fill: Fill
) -> None:
    """Both forms of head must verify under their key, over the root by the definition."""
    log = LabLog("a", kinds=BOTH, keys=[new_key(kind), new_key(kind)], clock=clock)
    fill(log, size)
    root = oracle.tree_hash([log.leaf(index) for index in range(size)])
    milliseconds = int(clock.at.timestamp() * 1000)
    assert sth(log) == checkpoint(log) == oracle.TreeHead(size, root, milliseconds)


def test_each_protocol_has_a_key_of_its_own(log: LabLog) -> None:
    """The faces of one tree must be two logs to their readers."""
    ids = {log.face(kind).log_id for kind in BOTH}
    assert ids == {sha256(log.face(kind).spki).digest() for kind in BOTH}
    assert len(ids) == 2


def test_a_head_asked_for_twice_is_the_same(log: LabLog, clock: Clock) -> None:
    """A log must not sign anew for each reader, but must do so as time goes by."""
    first = log.head()
    assert log.head() == first
    clock.forward(seconds=61)
    assert log.head() != first
    assert sth(log).timestamp == int(clock.at.timestamp() * 1000)


def test_entries_wait_for_a_head(ca: CA, clock: Clock) -> None:
    """Without automatic heads, what was entered must not be seen before `publish`."""
    log = LabLog("a", auto_publish=False, clock=clock)
    log.add_certificate(ca.issue(["a.example"]).certificate_chain)
    assert (log.size, sth(log).size, log.served_size) == (1, 0, 0)
    log.publish()
    assert (sth(log).size, log.served_size) == (1, 1)


def test_an_sct_is_a_promise_that_the_log_keeps(log: LabLog, ca: CA) -> None:
    """An SCT must verify over the entry rebuilt from the certificate, and lead to its leaf."""
    promised = ca.precertify(["a.example"])
    shown = (promised.der, *promised.chain)
    by_kind = {kind: oracle.read_sct(log.add_pre_chain(shown, kind)) for kind in BOTH}
    assert log.size == 1
    entry = promised.issuer_key_hash + oracle.vector(promised.tbs, 3)
    for kind, sct in by_kind.items():
        face = log.face(kind)
        assert sct.log_id == face.log_id
        assert sct.leaf_index == 0
        sct.check(face.spki, entry, 1)
    issued = ca.complete(promised)
    final = oracle.read_sct(log.add_chain(issued.certificate_chain))
    final.check(log.face().spki, oracle.vector(issued.certificate, 3), 0)
    assert final.leaf_index == 1
    assert checkpoint(log).root == oracle.tree_hash([log.leaf(0), log.leaf(1)])


def test_an_rfc_6962_log_has_no_leaf_index(ca: CA) -> None:
    """Extensions of an untiled log must be empty."""
    log = LabLog("a")
    issued = ca.issue(["a.example"], logs=[log])
    assert oracle.read_sct(log.add_pre_chain(issued.precertificate_chain)).extensions == b""
    assert log.leaf(0).endswith(b"\x00\x00")


def test_a_certificate_submitted_twice_is_entered_once(log: LabLog, ca: CA) -> None:
    """The second submission must get the promise of the first (RFC 6962 section 3)."""
    chain = ca.issue(["a.example"]).certificate_chain
    first = oracle.read_sct(log.add_chain(chain))
    assert oracle.read_sct(log.add_chain(chain)).timestamp == first.timestamp
    assert log.size == 1


@pytest.mark.parametrize("by_precert_signer", [False, True])
def test_the_logged_tbs_is_the_certificate_without_scts(
    log: LabLog, ca: CA, *, by_precert_signer: bool
) -> None:
    """Whoever signed the precertificate, the entry must be about the certificate to come."""
    issued = ca.issue(["a.example"], logs=[log], by_precert_signer=by_precert_signer)
    leaf = log.leaf(0)
    assert leaf[12:44] == ca.issuer_key_hash
    assert leaf[44 : 47 + len(issued.tbs)] == oracle.vector(issued.tbs, 3)


@pytest.mark.parametrize("size", [1, 2, 6, 7, 13])
def test_proofs_are_those_of_the_definitions(size: int, log: LabLog, fill: Fill) -> None:
    """Every audit path and consistency proof must equal the one by RFC 6962 section 2.1."""
    fill(log, size)
    leaves = [log.leaf(index) for index in range(size)]
    tree = log.history.tree
    for index in range(size):
        assert tree.inclusion_proof(index, size) == oracle.audit_path(index, leaves)
    for first in range(1, size + 1):
        assert tree.consistency_proof(first, size) == oracle.consistency(first, leaves)


def test_a_leaf_goes_in_as_it_is(log: LabLog, ca: CA) -> None:
    """No leaf, however odd, may be changed on its way into the tree."""
    cases = list(odd_leaves(ca, "a.example", timestamp_ms=1))
    for number, case in enumerate(cases):
        assert log.add_leaf(case.leaf, case.extra) == number
    assert sth(log).root == oracle.tree_hash([case.leaf for case in cases])


class TestFaultsOfHeads:
    """What a head says wrongly on request."""

    @pytest.fixture(autouse=True)
    def filled(self, log: LabLog, fill: Fill) -> None:
        fill(log, 6)

    def test_wrong_root(self, log: LabLog) -> None:
        """The head must be signed, and no entries make its root."""
        honest = sth(log)
        log.faults.wrong_root = True
        assert sth(log).size == honest.size
        assert sth(log).root == checkpoint(log).root != honest.root

    def test_bad_signature(self, log: LabLog) -> None:
        """The signature must be well formed and by nobody."""
        log.faults.bad_signature = True
        for read in (sth, checkpoint):
            with pytest.raises(InvalidSignature):
                read(log)

    def test_shrink(self, log: LabLog, clock: Clock) -> None:
        """The smaller head must be honest for its size, and signed now."""
        sth(log)
        clock.forward(seconds=5)
        log.faults.shrink = 4
        small = sth(log)
        assert (small.size, small.timestamp) == (4, int(clock.at.timestamp() * 1000))
        assert small.root == oracle.tree_hash([log.leaf(index) for index in range(4)])

    def test_frozen(self, log: LabLog, fill: Fill, clock: Clock) -> None:
        """A frozen log must keep its head through growth and time, and thaw honestly."""
        before = log.head()
        log.faults.frozen = True
        fill(log, 3)
        clock.forward(hours=30)
        assert log.head() == before
        log.publish()
        assert log.head() == before
        log.faults.frozen = False
        assert sth(log).size == 9

    def test_old_head_every_now_and_then(self, log: LabLog, fill: Fill) -> None:
        """Each n-th head must be the one before the last."""
        sth(log)
        fill(log, 2)
        log.publish()
        log.faults.old_head_every = 2
        assert sorted(sth(log).size for _ in range(4)) == [6, 6, 8, 8]

    def test_skew(self, log: LabLog, clock: Clock) -> None:
        """The clock in the heads may be wrong, and the signature still right."""
        log.faults.skew = timedelta(hours=-2)
        assert sth(log).timestamp == int((clock.at - timedelta(hours=2)).timestamp() * 1000)

    def test_fork(self, log: LabLog, fill: Fill) -> None:
        """The fork must be a log of its own that agrees up to a point, also as it grows."""
        honest = sth(log)
        log.faults.fork = 4
        for _ in range(2):
            size = log.size
            forked = [log.history.leaves[index] for index in range(size)]
            assert [forked[i] == log.leaf(i) for i in range(size)] == [i < 4 for i in range(size)]
            assert sth(log).root == oracle.tree_hash(forked) != honest.root
            fill(log, 3)
        log.faults.fork = None
        assert sth(log).root == oracle.tree_hash([log.leaf(index) for index in range(log.size)])

    def test_a_fork_of_the_future_is_no_fork_yet(self, log: LabLog, fill: Fill) -> None:
        """Entries before the fork must stay the same even if they come after it was asked for."""
        log.faults.fork = 8
        assert sth(log).size == 6
        fill(log, 4)
        same = [log.history.leaves[index] == log.leaf(index) for index in range(10)]
        assert same == [True] * 8 + [False] * 2

    def test_clear(self, log: LabLog) -> None:
        """Afterwards the log must be honest again."""
        honest = log.head()
        log.faults.wrong_root = log.faults.bad_signature = True
        log.faults.missing.add("x")
        log.faults.clear()
        assert log.head() == honest
        assert log.faults.missing == set()


def test_wrong_leaf_index(log: LabLog, ca: CA) -> None:
    """The wrong index must be in the tree and in the promise, as if the log meant it."""
    log.faults.wrong_leaf_index = True
    issued = ca.issue(["a.example"])
    sct = oracle.read_sct(log.add_chain(issued.certificate_chain, LogKind.STATIC))
    assert sct.leaf_index == 1
    sct.check(log.face(LogKind.STATIC).spki, oracle.vector(issued.certificate, 3), 0)
    assert checkpoint(log).root == oracle.tree_hash([log.leaf(0)])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("ct/v1/get-entries", {"start": "0"}),
        ("ct/v1/get-entries", {"start": "2", "end": "1"}),
        ("ct/v1/get-entries", {"start": "9", "end": "10"}),
        ("ct/v1/get-entries", {"start": "-1", "end": "10"}),
        ("ct/v1/get-sth-consistency", {"first": "0", "second": "2"}),
        ("ct/v1/get-sth-consistency", {"first": "1", "second": "9"}),
        ("ct/v1/get-proof-by-hash", {"hash": "?", "tree_size": "1"}),
        ("ct/v1/get-entry-and-proof", {"leaf_index": "1", "tree_size": "1"}),
    ],
)
def test_nonsense_is_answered_with_400(
    log: LabLog, fill: Fill, path: str, query: dict[str, str]
) -> None:
    """A request that makes no sense must be refused, and not answered somehow."""
    fill(log, 3)
    assert answer(log, Question(method="GET", path=path, query=query)).status == 400
