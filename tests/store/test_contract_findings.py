"""Contract: a finding is one alert per kind and subject until it is resolved."""

from __future__ import annotations

import asyncio

import pytest

from pinwarden.findings import LOG_FORK, LOG_STALLED, Finding, FindingKind, Severity
from pinwarden.store.contract import Committed, Store
from store.kinds import Opener
from store.values import ARGON, CHANNELS, NOW, finding, later, move

_EVIDENCE = (("first", b"\x00head one"), ("second", b"head two"))


async def _record(store: Store, *found: Finding, **when: float) -> int:
    return await store.record_findings(found, at=later(**when), channels=CHANNELS, log_id=ARGON)


async def test_a_finding_comes_back_as_it_was_given(store: Store) -> None:
    """Text, details and evidence survive exactly, with the log and the time."""
    given = finding(details=(("size", "7"), ("root\x00", "ü\ud800")), evidence=_EVIDENCE)
    assert await _record(store, given) == 1
    (found,) = await store.findings()
    assert found.finding == given
    assert (found.log_id, found.first_seen, found.last_seen) == (ARGON, NOW, NOW)
    assert (found.count, found.resolved) == (1, None)
    (owed,) = await store.due("mail", NOW)
    assert owed.alert.finding == given
    assert owed.alert.sighting is None
    assert owed.alert.references == ()
    assert owed.alert.key == "finding:PW-LOG-FORK:log argon"


async def test_a_standing_finding_is_counted_and_not_alerted_again(reopen: Opener) -> None:
    """A repeated finding keeps its first text, also after a restart and an acknowledgement."""
    store = await reopen()
    first, second = (
        Finding(kind=LOG_STALLED, subject="log argon", message=message)
        for message in ("first", "second")
    )
    assert await _record(store, first) == 1
    (alert,) = await store.alerts()
    await store.ack(alert.alert.id, who="eve", why="known", at=NOW)
    await store.close()
    store = await reopen()
    assert await _record(store, second, hours=1) == 0
    assert await _record(store, second, second, hours=2) == 0
    (found,) = await store.findings()
    assert (found.finding.message, found.count) == ("first", 4)
    assert (found.first_seen, found.last_seen) == (NOW, later(hours=2))
    assert len(await store.alerts()) == 1
    assert len(await store.due("mail", later(days=1))) == 1


async def test_another_fork_is_news_once_the_first_was_noted(store: Store) -> None:
    """A log cannot use up its one alert: noted, the next contradiction alerts, and only once."""
    assert await _record(store, finding(message="first")) == 1
    assert await _record(store, finding(message="second")) == 0
    (alert,) = await store.alerts()
    await store.ack(alert.alert.id, who="eve", why="reported", at=NOW)
    assert await _record(store, finding(message="first"), hours=1) == 0
    assert await _record(store, finding(message="third"), hours=2) == 1
    assert await _record(store, finding(message="fourth"), hours=3) == 0
    assert len(await store.alerts()) == 2


async def test_kind_and_subject_tell_findings_apart(store: Store) -> None:
    """The same kind about another subject, or another kind about the same, is another finding."""
    stalled = Finding(kind=LOG_STALLED, subject="log argon", message="old head")
    assert await _record(store, finding(), finding("log tuscolo"), stalled) == 3
    assert len(await store.due("hook", NOW)) == 3


async def test_a_finding_that_comes_back_after_resolution_alerts_again(store: Store) -> None:
    """A resolved finding that returns is news, under a key of its own."""
    which = [(LOG_FORK.id, "log argon"), (LOG_FORK.id, "never found")]
    assert await store.resolve_findings(which, at=NOW) == 0
    for episode in range(1, 4):
        assert await _record(store, finding(), hours=episode) == 1
        assert await store.resolve_findings(which, at=later(hours=episode)) == 1
        assert await store.resolve_findings(which, at=later(days=9)) == 0
    keys = [owed.alert.key for owed in await store.due("mail", later(days=1))]
    base = "finding:PW-LOG-FORK:log argon"
    assert keys == [base, f"{base}#2", f"{base}#3"]
    newest, *_older = await store.findings()
    assert newest.resolved == later(hours=3)


async def test_evidence_grows_by_what_is_new_within_a_bound(store: Store) -> None:
    """New evidence of a standing finding is added, a repeated piece is not, and it ends."""
    await _record(store, finding(evidence=_EVIDENCE))
    await _record(store, finding(evidence=(*_EVIDENCE, ("third", b"head three"))))
    (found,) = await store.findings()
    assert found.finding.evidence == (*_EVIDENCE, ("third", b"head three"))
    for number in range(100):
        await _record(store, finding(evidence=((f"head {number}", b"x"),)))
    (found,) = await store.findings()
    assert len(found.finding.evidence) == 16
    assert found.finding.evidence[:2] == _EVIDENCE


async def test_findings_of_a_step_are_committed_with_it(store: Store) -> None:
    """A step's findings are about its log and alert like any other."""
    assert await move(store, 1, findings=(finding(), finding())) == Committed(0, 1)
    (found,) = await store.findings()
    assert (found.log_id, found.count) == (ARGON, 2)


async def test_nothing_found_is_nothing_done(store: Store) -> None:
    """Recording or resolving nothing is no error."""
    assert await _record(store) == 0
    assert await store.resolve_findings([], at=NOW) == 0
    assert await store.findings() == ()


@pytest.mark.parametrize(("resolved", "subjects"), [(None, "cba"), (False, "ca"), (True, "b")])
async def test_findings_are_listed_newest_first(
    store: Store, resolved: bool | None, subjects: str
) -> None:
    """Standing and resolved findings can be asked for, in pages."""
    await _record(store, finding("a"), finding("b"), finding("c"))
    await store.resolve_findings([(LOG_FORK.id, "b")], at=NOW)
    seen = ""
    after = None
    while page := await store.findings(resolved=resolved, limit=1, after=after):
        seen += page[0].finding.subject
        after = page[0].id
    assert seen == subjects


async def test_a_kind_of_another_version_is_still_readable(store: Store) -> None:
    """A finding whose kind left the register keeps its id, severity and text."""
    odd = Finding(kind=FindingKind("PW-GONE", Severity.LOW, "gone"), subject="s", message="m")
    await _record(store, odd)
    (found,) = await store.findings()
    assert (found.finding.id, found.finding.severity) == ("PW-GONE", Severity.LOW)
    assert found.finding.message == "m"


async def test_writers_wait_for_each_other(reopen: Opener) -> None:
    """Several stores that record the same findings at once all succeed, and alert once."""
    stores = [await reopen() for _ in range(3)]
    subjects = [f"log {number}" for number in range(15)]
    new = await asyncio.gather(
        *(_record(store, finding(subject)) for subject in subjects for store in stores)
    )
    assert sum(new) == len(subjects)
    assert {one.count for one in await stores[0].findings()} == {3}
