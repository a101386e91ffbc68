"""Logs that lie, stammer or fall silent, all at once, beside two that behave.

Two worlds serve most tests here, one of them for the faults that cost the lab
itself much work: a first run while all is well, a second one with every log at
fault, and a third after the faults are over.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.watching import BOTH, WATCHED, Home, Run, names_of
from pinwarden.ct.head import LogKey, parse_checkpoint, parse_sth, verify_head
from pinwarden.ct.log import LogKind
from pinwarden.errors import BadSignatureError
from pinwarden.findings import REGISTER
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.monitor.health import PASSING

# One full tile and a bit; then a little more for each further run.
FIRST = 260
MORE = 20
STATIC = (LogKind.STATIC,)
RFC6962 = (LogKind.RFC6962,)
TWO_HEADS = ("first head", "second head")
RECEIVED = ("as received",)

Do = Callable[[LabLog], object]


def _nothing(_log: LabLog) -> None:
    pass


def _faults(**values: object) -> Do:
    def set_(log: LabLog) -> None:
        for name, value in values.items():
            setattr(log.faults, name, value)

    return set_


def _on_entries(**values: object) -> Do:
    """The fault strikes where entries are served, and heads are honest."""

    def set_(log: LabLog) -> None:
        _faults(**values)(log)
        log.faults.on = "get-entries" if log.face().kind is LogKind.RFC6962 else "tile/data"

    return set_


def _drop_full_tile(log: LabLog) -> None:
    """The partial tile of the head that is served was filled, and so it is gone."""
    log.publish()
    log.faults.frozen = True
    log.faults.partial_tile_404 = True
    fill(log, 512 - log.size)


def _lose_tile(log: LabLog) -> None:
    log.faults.missing = {f"tile/data/001.p/{log.size - 256}", "tile/data/001"}


def _without_proofs(log: LabLog) -> None:
    _faults(fork=100, status=404)(log)
    log.faults.on = "get-sth-consistency" if log.face().kind is LogKind.RFC6962 else "tile/0/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault and what must come of it.

    `before` is done before the log grows for the second run, `during` after it.
    `reads` says whether the second run gets through to the head it is shown,
    `sees_growth` whether that head covers what the log grew by.
    """

    slug: str
    during: Do
    before: Do = _nothing
    finding: str | None = None
    evidence: tuple[str, ...] = ()
    grows: bool = True
    reads: bool = True
    sees_growth: bool = False
    recovers: bool = True
    kinds: tuple[LogKind, ...] = BOTH
    heavy: bool = False


def _fine(slug: str, during: Do, **more: Any) -> Case:
    return Case(slug=slug, during=during, sees_growth=True, **more)


def _silent(slug: str, during: Do, **more: Any) -> Case:
    return Case(slug=slug, during=during, finding="PW-LOG-UNREACHABLE", reads=False, **more)


def _garbage(slug: str, during: Do, **more: Any) -> Case:
    return Case(
        slug=slug,
        during=during,
        finding="PW-LOG-GARBAGE",
        evidence=RECEIVED,
        reads=False,
        **more,
    )


def _fork(slug: str, during: Do, **more: Any) -> Case:
    return Case(slug=slug, during=during, finding="PW-LOG-FORK", evidence=TWO_HEADS, **more)


LATER = datetime.now(UTC) + timedelta(seconds=4)
CASES = (
    _fork("fork-same-size", _faults(fork=100), grows=False),
    _fork("fork-below-and-growth", _faults(fork=100)),
    _fork("fork-in-an-old-head", _faults(fork=100, shrink=200, skew=-timedelta(minutes=30))),
    _fine("fork-ahead", _faults(fork=FIRST + 5), recovers=False),
    _fork("wrong-root", _faults(wrong_root=True)),
    _fork("wrong-root-same-size", _faults(wrong_root=True), grows=False),
    Case(
        slug="fork-without-proofs",
        during=_without_proofs,
        finding="PW-LOG-WRONG-ROOT",
        evidence=("verified head", "signed head"),
    ),
    Case(
        slug="shrunk",
        during=_faults(shrink=200),
        finding="PW-LOG-SHRUNK",
        evidence=("verified head", "smaller head"),
    ),
    Case(
        slug="bad-signature",
        during=_faults(bad_signature=True),
        finding="PW-LOG-BAD-SIGNATURE",
        evidence=RECEIVED,
        reads=False,
    ),
    _garbage("noise", _faults(garbage="random")),
    _garbage("page", _faults(garbage="html")),
    _garbage("noise-as-gzip", _faults(garbage="gzip")),
    _garbage("page-for-entries", _on_entries(garbage="html")),
    _garbage("noise-for-entries", _on_entries(garbage="random")),
    _silent("drip", _faults(endless="drip")),
    _silent("flood", _faults(endless="flood"), heavy=True),
    _silent("flood-of-entries", _on_entries(endless="flood"), heavy=True),
    _silent("bomb", _faults(bomb=80 << 20), heavy=True),
    _silent("bomb-for-entries", _on_entries(bomb=80 << 20), heavy=True),
    _silent("silence", _faults(silent=True)),
    _silent("silence-for-entries", _on_entries(silent=True)),
    _silent("reset", _faults(reset=True)),
    _silent("cut", _faults(cut_body=True)),
    _silent("server-error", _faults(status=500)),
    _silent("not-found", _faults(status=404)),
    _silent("forbidden", _faults(status=403)),
    _silent("redirect", _faults(redirect="http://127.0.0.1:9/elsewhere")),
    _silent("long-pause", _faults(status=429, retry_after=3600)),
    _silent("no-entries", _faults(empty_entries=True), kinds=RFC6962),
    _silent("lost-tile", _lose_tile, kinds=STATIC),
    _fine("pause", _faults(status=429, retry_after=1, times=2)),
    _fine("pause-until", _faults(status=503, retry_after=LATER, times=1)),
    _fine("odd-pause", _faults(status=429, retry_after="soon", times=1)),
    _fine("stumble", _faults(status=502, every=3)),
    _fine("reset-once", _faults(reset=True, times=1)),
    _fine("cut-once", _on_entries(cut_body=True, times=1)),
    _fine("short-answers", _faults(short_answers=3), kinds=RFC6962),
    _fine("slow", _faults(slow=0.3)),
    _fine("filled-tile", _drop_full_tile, kinds=STATIC),
    _fine("wrong-leaf-index", _nothing, before=_faults(wrong_leaf_index=True), kinds=STATIC),
    Case(slug="old-head", before=LabLog.publish, during=_faults(old_head_every=1)),
    Case(slug="frozen", before=_faults(frozen=True), during=_nothing),
    Case(
        slug="stalled",
        during=_faults(skew=-timedelta(hours=3)),
        finding="PW-LOG-STALLED",
        evidence=("signed head",),
        sees_growth=True,
    ),
    Case(
        slug="future",
        during=_faults(skew=timedelta(hours=3)),
        finding="PW-LOG-FUTURE",
        evidence=("signed head",),
        sees_growth=True,
    ),
)
EACH = tuple((case, kind) for case in CASES for kind in case.kinds)
each_fault = pytest.mark.parametrize(
    ("case", "kind"), EACH, ids=[f"{case.slug}-{kind}" for case, kind in EACH]
)


@dataclass(slots=True)
class World:
    """All logs and the three runs over them; logs are known by fault and protocol."""

    home: Home
    logs: dict[tuple[str, LogKind], LabLog] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    ca: CA = field(default_factory=lambda: CA("Some CA"))

    def add(self, slug: str, kind: LogKind) -> LabLog:
        log = LabLog(f"{slug}-{kind}", kinds=(kind,))
        self.logs[slug, kind] = log
        self.grow(log, FIRST - 60, "before")
        log.publish()
        fill(log, 60, seed=3)
        return log

    def grow(self, log: LabLog, count: int, when: str) -> None:
        """So many entries more, in the midst of them one for a watched name."""
        fill(log, count // 2, seed=count)
        issued = self.ca.issue([f"{when}.{log.name}{WATCHED}"])
        log.add_precertificate(issued.precertificate_chain)
        fill(log, count - count // 2 - 1, seed=count + 1)

    def finding(self, run: int, log: LabLog) -> dict[str, Any] | None:
        """The finding about a log that one run alerted."""
        subject = log.description().description
        found = [each for each in self.runs[run].findings if each["subject"] == subject]
        assert len(found) < 2, found
        return found[0] if found else None


@contextmanager
def play(folder: Path, cases: Sequence[Case], timeout: float) -> Iterator[World]:
    """The three runs over logs with these faults and two without any."""
    home = Home(folder)
    world = World(home)
    keys = [(case.slug, kind) for case in cases for kind in case.kinds]
    for slug, kind in (*(("healthy", kind) for kind in BOTH), *keys):
        world.add(slug, kind)
    home.configure(
        start="beginning", channels=[{"type": "stdout"}], logs={"timeout_seconds": timeout}
    )
    with LabServer(list(world.logs.values())):
        home.list_logs(*world.logs.values())
        world.runs.append(home.configured_once())
        for case in (Case(slug="healthy", during=_nothing), *cases):
            for kind in case.kinds:
                log = world.logs[case.slug, kind]
                case.before(log)
                if case.grows:
                    world.grow(log, MORE, "after")
                case.during(log)
        world.runs.append(home.configured_once())
        for log in world.logs.values():
            log.faults.clear()
            world.grow(log, MORE, "later")
        world.runs.append(home.configured_once())
        yield world


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    cases = [case for case in CASES if not case.heavy]
    with play(tmp_path_factory.mktemp("light"), cases, 2.5) as world:
        yield world


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    cases = [case for case in CASES if case.heavy]
    with play(tmp_path_factory.mktemp("heavy"), cases, 10) as world:
        yield world


@pytest.fixture(params=["light", "heavy"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the worlds in turn."""
    world: World = request.getfixturevalue(request.param)
    return world


@pytest.fixture
def world_of(request: pytest.FixtureRequest, case: Case) -> World:
    """The world that has the fault of a test."""
    world: World = request.getfixturevalue("heavy" if case.heavy else "light")
    return world


def test_the_first_run(world: World) -> None:
    """All is well: every log is verified to its end, and each watched certificate alerts."""
    run = world.runs[0].checked(1)
    assert {each["verified_size"] for each in run.report["logs"]} == {FIRST}
    assert run.findings == []
    assert len(run.alerts) == len(world.logs)


def test_the_second_run(world: World) -> None:
    """It ends in bounded time, says that not all was read, and shows no traceback."""
    run = world.runs[1].checked(3)
    lines = run.err.splitlines()
    assert all(line.startswith("pinwarden: ") for line in lines)
    unread = sum(1 for each in run.report["logs"] if each["error"])
    assert len([line for line in lines if "not finished" in line]) == unread


@pytest.mark.parametrize("kind", BOTH, ids=str)
def test_healthy_logs_go_on(world: World, kind: LogKind) -> None:
    """Whatever the others do, a log that behaves is read and verified."""
    log = world.logs["healthy", kind]
    for run, size in zip(world.runs, (FIRST, FIRST + MORE, FIRST + 2 * MORE), strict=True):
        assert run.of(log)["verified_size"] == size
        assert (run.of(log)["error"], run.of(log)["findings"]) == (None, [])


@each_fault
def test_the_fault_is_named(world_of: World, case: Case, kind: LogKind) -> None:
    """One finding of the right kind is alerted, and none for a fault that is only a nuisance."""
    log = world_of.logs[case.slug, kind]
    of_log = world_of.runs[1].of(log)
    finding = world_of.finding(1, log)
    assert (finding["id"] if finding else None) == case.finding
    assert [each["id"] for each in of_log["findings"]] == ([case.finding] if finding else [])
    assert (of_log["error"] is None) == case.reads
    assert of_log["verified_size"] == FIRST + (MORE if case.sees_growth else 0)


@each_fault
def test_the_evidence_is_kept(world_of: World, case: Case, kind: LogKind) -> None:
    """What was received is in the alert byte for byte, and a signed head still proves itself."""
    log = world_of.logs[case.slug, kind]
    finding = world_of.finding(1, log)
    kept = finding["evidence"] if finding else []
    assert tuple(each["name"] for each in kept) == case.evidence
    bodies = [b64decode(each["base64"]) for each in kept]
    assert [hashlib.sha256(body).hexdigest() for body in bodies] == [
        each["sha256"] for each in kept
    ]
    if case.slug == "bad-signature":
        with pytest.raises(BadSignatureError):
            verify_signed_head(log, bodies[0])
    elif case.evidence and case.evidence != RECEIVED:
        for body in bodies:
            verify_signed_head(log, body)
        assert len(set(bodies)) == len(bodies)


@each_fault
def test_recovery(world_of: World, case: Case, kind: LogKind) -> None:
    """When the fault is over the log is verified to its end; a log that forked is not."""
    log = world_of.logs[case.slug, kind]
    of_log = world_of.runs[2].of(log)
    if case.recovers:
        assert (of_log["error"], of_log["findings"]) == (None, [])
        assert of_log["verified_size"] == log.size
        assert b64decode(of_log["root"]) == log.published.root
    else:
        finding = world_of.finding(2, log)
        assert finding
        assert finding["id"] == "PW-LOG-FORK"
        assert [each["name"] for each in finding["evidence"]] == list(TWO_HEADS)
        assert of_log["verified_size"] == FIRST + MORE


def test_nothing_is_lost_and_nothing_told_twice(world: World) -> None:
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


def test_what_passes_is_closed(light: World) -> None:
    """Findings of silence and noise end with the fault; lies stand until a person has looked."""
    light.runs[2].checked(1)
    standing = {each.finding.id for each in light.home.findings(resolved=False)}
    assert standing == {"PW-LOG-FORK", "PW-LOG-SHRUNK", "PW-LOG-WRONG-ROOT"}
    closed = {each.finding.id for each in light.home.findings(resolved=True)}
    assert closed == {each.id for each in PASSING}
    assert closed | standing <= set(REGISTER)


def test_a_wrong_leaf_index_is_a_problem_of_the_entry(light: World) -> None:
    """The tree is what counts; the watched certificate says what is odd about its entry."""
    log = light.logs["wrong-leaf-index", LogKind.STATIC]
    [sighting] = [
        each["sighting"]
        for each in light.runs[1].alerts
        if each["sighting"] and each["sighting"]["names"] == [f"after.{log.name}{WATCHED}"]
    ]
    assert "leaf_index" in " ".join(sighting["problems"])


def verify_signed_head(log: LabLog, raw: bytes) -> None:
    """Raise unless these bytes are a head that this log signed."""
    face = log.face()
    if face.kind is LogKind.STATIC:
        head = parse_checkpoint(raw, log.origin, face.log_id)
    else:
        head = parse_sth(raw)
    verify_head(head, LogKey(face.spki))


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
