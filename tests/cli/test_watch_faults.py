"""Logs that lie, stammer or fall silent: each is named, and the others go on."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.fault_world import (
    CASES,
    FIRST,
    MORE,
    RECEIVED,
    STATIC,
    TWO_HEADS,
    Case,
    World,
    play,
    verify_signed_head,
)
from cli.watching import BOTH, WATCHED, Home, Run, names_of
from pinwarden.ct.log import LogKind
from pinwarden.errors import BadSignatureError
from pinwarden.findings import REGISTER
from pinwarden.lab.bulk import fill
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.monitor.health import PASSING


@pytest.mark.parametrize("heavy", [False, True], ids=["light", "heavy"])
def test_faults_of_every_kind(tmp_path: Path, heavy: bool) -> None:
    """Each fault is named with its evidence, ends, and costs neither itself nor others an alert.

    One test for each world, because to make one takes longer than to look at it.
    """
    cases = [case for case in CASES if case.heavy is heavy]
    with play(tmp_path, cases, 10 if heavy else 2.5) as world:
        for run, code in zip(world.runs, (1, 3, 1), strict=True):
            run.checked(code)
        wrong = [
            f"{case.slug}, {kind}: {check.__name__}: {error}"
            for case in cases
            for kind in case.kinds
            for check in (_is_named, _evidence_is_kept, _recovers)
            for error in _failure(check, world, case, kind)
        ]
        assert not wrong, "\n".join(wrong)
        _verify_runs(world)
        _verify_nothing_is_lost(world)
        _verify_what_stands(world, heavy)
        if not heavy:
            _verify_the_odd_entry(world)


def _failure(
    check: Callable[[World, Case, LogKind], None], world: World, case: Case, kind: LogKind
) -> list[str]:
    try:
        check(world, case, kind)
    except AssertionError as error:
        return [str(error).partition("\n")[0]]
    return []


def _is_named(world: World, case: Case, kind: LogKind) -> None:
    """One finding of the right kind is alerted, and none for a fault that is only a nuisance."""
    log = world.logs[case.slug, kind]
    of_log = world.runs[1].of(log)
    finding = world.finding(1, log)
    assert (finding["id"] if finding else None) == case.finding
    assert [each["id"] for each in of_log["findings"]] == ([case.finding] if finding else [])
    assert (of_log["error"] is None) == case.reads
    assert of_log["verified_size"] == FIRST + (MORE if case.sees_growth else 0)


def _evidence_is_kept(world: World, case: Case, kind: LogKind) -> None:
    """What was received is in the alert byte for byte, and a signed head still proves itself."""
    log = world.logs[case.slug, kind]
    finding = world.finding(1, log)
    kept = finding["evidence"] if finding else []
    assert tuple(each["name"] for each in kept) == case.evidence
    bodies = [b64decode(each["base64"]) for each in kept]
    digests = [hashlib.sha256(body).hexdigest() for body in bodies]
    assert digests == [each["sha256"] for each in kept]
    if case.slug == "bad-signature":
        with pytest.raises(BadSignatureError):
            verify_signed_head(log, bodies[0])
    elif case.evidence and case.evidence != RECEIVED:
        for body in bodies:
            verify_signed_head(log, body)
        assert len(set(bodies)) == len(bodies)


def _recovers(world: World, case: Case, kind: LogKind) -> None:
    """When the fault is over the log is verified to its end; a log that forked is not."""
    log = world.logs[case.slug, kind]
    of_log = world.runs[2].of(log)
    if case.recovers:
        assert (of_log["error"], of_log["findings"]) == (None, [])
        assert of_log["verified_size"] == log.size
        assert b64decode(of_log["root"]) == log.published.root
    else:
        finding = world.finding(2, log)
        assert finding
        assert finding["id"] == "PW-LOG-FORK"
        assert [each["name"] for each in finding["evidence"]] == list(TWO_HEADS)
        assert of_log["verified_size"] == FIRST + MORE


def _verify_runs(world: World) -> None:
    """All is well at first, and healthy logs are read and verified whatever the others do."""
    first, second, _ = world.runs
    assert {each["verified_size"] for each in first.report["logs"]} == {FIRST}
    assert first.findings == []
    assert len(first.alerts) == len(world.logs)
    lines = second.err.splitlines()
    assert all(line.startswith("pinwarden: ") for line in lines)
    unread = sum(1 for each in second.report["logs"] if each["error"])
    assert len([line for line in lines if "not finished" in line]) == unread
    for kind in BOTH:
        log = world.logs["healthy", kind]
        for run, size in zip(world.runs, (FIRST, FIRST + MORE, FIRST + 2 * MORE), strict=True):
            assert run.of(log)["verified_size"] == size
            assert (run.of(log)["error"], run.of(log)["findings"]) == (None, [])


def _verify_nothing_is_lost(world: World) -> None:
    """Over the three runs each watched certificate in each log alerts exactly once."""
    told = Counter(name for run in world.runs for name in names_of(run.alerts))
    resting = {case.slug for case in CASES if not case.grows}
    expected = {
        f"{when}.{log.name}{WATCHED}"
        for (slug, _), log in world.logs.items()
        for when in ("before", "after", "later")
        if when != "after" or slug not in resting
    }
    assert set(told) == expected
    assert set(told.values()) == {1}


def _verify_what_stands(world: World, heavy: bool) -> None:
    """Findings of silence and noise end with the fault; lies stand until a person has looked."""
    standing = {each.finding.id for each in world.home.findings(resolved=False)}
    closed = {each.finding.id for each in world.home.findings(resolved=True)}
    lies = {"PW-LOG-FORK", "PW-LOG-SHRUNK", "PW-LOG-WRONG-ROOT"}
    assert standing == (set() if heavy else lies)
    assert closed == ({"PW-LOG-UNREACHABLE"} if heavy else {each.id for each in PASSING})
    assert closed | standing <= set(REGISTER)


def _verify_the_odd_entry(world: World) -> None:
    """The tree is what counts; the watched certificate says what is odd about its entry."""
    log = world.logs["wrong-leaf-index", LogKind.STATIC]
    [sighting] = [
        each["sighting"]
        for each in world.runs[1].alerts
        if each["sighting"] and each["sighting"]["names"] == [f"after.{log.name}{WATCHED}"]
    ]
    assert "leaf_index" in " ".join(sighting["problems"])


# A fault of its own, where the exit code or the first contact is the point.


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def pair() -> Iterator[tuple[LabLog, LabLog]]:
    """A log to spoil, and another one that stays healthy."""
    sick, healthy = LabLog("sick"), LabLog("healthy", kinds=STATIC)
    for log in (sick, healthy):
        fill(log, 30)
    with LabServer([sick, healthy]):
        yield sick, healthy


def test_a_standing_lie_is_told_once(home: Home, pair: tuple[LabLog, LabLog]) -> None:
    """Every run says by its exit code that the log lies; people hear of it once."""
    sick, healthy = pair
    home.once(*pair, start="beginning").checked(0)
    sick.faults.fork = 10
    assert [each["id"] for each in home.once(*pair).checked(1).findings] == ["PW-LOG-FORK"]
    for _ in range(2):
        again = home.once(*pair).checked(1)
        assert again.alerts == []
        assert [each["id"] for each in again.of(sick)["findings"]] == ["PW-LOG-FORK"]
        assert again.of(healthy)["verified_size"] == 30
    [stored] = home.findings()
    assert stored.count == 3


def test_a_fault_that_comes_back(home: Home, pair: tuple[LabLog, LabLog]) -> None:
    """A new outage after a good run is a new alert."""
    sick, _ = pair
    home.once(*pair, start="beginning").checked(0)
    for _ in range(2):
        sick.faults.garbage = "html"
        assert [each["id"] for each in home.once(*pair).checked(3).findings] == ["PW-LOG-GARBAGE"]
        assert home.once(*pair).checked(3).findings == []
        sick.faults.clear()
        home.once(*pair).checked(0)
    assert [each.count for each in home.findings(resolved=True)] == [2, 2]


def test_logs_of_one_name(home: Home, pair: tuple[LabLog, LabLog]) -> None:
    """What one log does is not taken for what another one did that a list calls the same."""
    one, other = pair
    other.operator = one.operator

    def once(start: str = "") -> Run:
        home.list_logs(*pair)
        listed = re.sub(r'"description": ".*"', '"description": "Same"', home.lists.read_text())
        home.lists.write_text(listed)
        home.configure(start=start or "now", channels=[{"type": "stdout"}])
        return home.configured_once()

    once("beginning").checked(0)
    one.faults.fork = 10
    assert [each["id"] for each in once().checked(1).findings] == ["PW-LOG-FORK"]
    other.faults.fork = 10
    assert [each["id"] for each in once().checked(1).findings] == ["PW-LOG-FORK"]
    for log in pair:
        log.faults.clear()
    one.faults.garbage = "html"
    assert [each["id"] for each in once().checked(3).findings] == ["PW-LOG-GARBAGE"]
    assert once().checked(3).findings == []


@pytest.mark.parametrize("kind", BOTH, ids=str)
@pytest.mark.parametrize("start", ["now", "beginning"])
def test_a_lie_at_the_first_contact(home: Home, kind: LogKind, start: str) -> None:
    """A root that nothing makes is found without any earlier head, and the head is kept."""
    sick, healthy = LabLog("sick", kinds=(kind,)), LabLog("healthy")
    for log in (sick, healthy):
        fill(log, 30)
    sick.faults.wrong_root = True
    with LabServer([sick, healthy]):
        ran = home.once(sick, healthy, start=start).checked(1, 3)
        [finding] = ran.findings
        assert finding["id"] == "PW-LOG-WRONG-ROOT"
        assert ran.of(sick)["verified_size"] == 0
        assert ran.of(healthy)["verified_size"] == 30
        assert finding["evidence"], "the signed head is kept"
        verify_signed_head(sick, b64decode(finding["evidence"][0]["base64"]))
        sick.faults.clear()
        assert home.once(sick, healthy, start=start).checked(0).of(sick)["verified_size"] == 30
