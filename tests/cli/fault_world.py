"""A world of logs that lie, stammer or fall silent, all at once, beside two that behave.

Three runs are made over it: while all is well, with every log at fault, and
after the faults are over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.watching import BOTH, WATCHED, Home, Run
from pinwarden.ct.head import LogKey, parse_checkpoint, parse_sth, verify_head
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

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
        evidence=("larger head", "smaller head"),
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
        subject = f"{log.description().description} ({log.url()})"
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


def verify_signed_head(log: LabLog, raw: bytes) -> None:
    """Raise unless these bytes are a head that this log signed."""
    face = log.face()
    if face.kind is LogKind.STATIC:
        head = parse_checkpoint(raw, log.origin, face.log_id)
    else:
        head = parse_sth(raw)
    verify_head(head, LogKey(face.spki))
