"""Contract: one issuance is one sighting and one alert, whatever is seen of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.store.contract import Committed, SightingFilter, Store, StoredSighting
from pinwarden.store.sightings import merge
from pinwarden.watch.sighting import Sighting, SightingKind, Verdict
from store.kinds import Opener
from store.values import (
    ARGON,
    CHANNELS,
    NOW,
    TUSCOLO,
    certificate,
    key,
    later,
    move,
    reference,
    sighting,
)


async def test_a_sighting_comes_back_as_it_was_given(store: Store) -> None:
    """Every field of a sighting survives; the log's name comes from its position."""
    given = certificate("a", 3, verdict=Verdict.UNAUTHORIZED, problems=("odd", "worse"))
    assert await move(store, 4, given) == Committed(1, 1)
    found = await store.sighting(given.key)
    assert found is not None
    assert found.sighting == given
    assert found.references == (given.seen,)
    assert found.first_seen == NOW
    assert await store.sighting(found.id) == found


async def test_an_unreadable_entry_is_a_sighting_too(store: Store) -> None:
    """An entry without names, dates or hashes is stored and alerted."""
    seen = reference("u", 0, ARGON, "unknown")
    given = Sighting(key=seen.leaf_hash, kind=SightingKind.UNREADABLE, der=b"\x00", seen=seen)
    assert await move(store, 1, given) == Committed(1, 1)
    (owed,) = await store.due("mail", NOW)
    assert owed.alert.sighting == given


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_one_issuance_is_one_alert_in_any_order(
    order: tuple[int, ...], reopen: Opener
) -> None:
    """Precertificate and certificate, in two logs, in any order, alert once."""
    store = await reopen()
    seen = [
        sighting("a", 0),
        certificate("a", 1),
        sighting("a", 0, TUSCOLO),
        certificate("a", 1, TUSCOLO),
    ]
    committed = [await move(store, 10 + step, seen[which]) for step, which in enumerate(order)]
    assert committed == [Committed(1, 1), Committed(0, 0), Committed(0, 0), Committed(0, 0)]
    (found,) = await store.sightings()
    expected = {(one.seen.log_id, one.seen.index) for one in seen}
    assert {(at.log_id, at.index) for at in found.references} == expected
    assert len(await store.due("mail", NOW)) == 1
    assert len(await store.due("hook", NOW)) == 1


async def test_both_halves_in_one_step_are_one_alert(store: Store) -> None:
    """A step that holds precertificate and certificate makes one issuance of them."""
    assert await move(store, 2, sighting("a", 0), certificate("a", 1)) == Committed(1, 1)
    (found,) = await store.sightings()
    assert [at.entry_type for at in found.references] == ["precert", "x509"]


async def test_the_certificate_is_shown_where_there_is_one(store: Store) -> None:
    """The certificate's bytes and fingerprint replace the precertificate's, not the reverse."""
    await move(store, 1, sighting("a", 0))
    await move(store, 2, certificate("a", 1))
    await move(store, 3, sighting("a", 0, TUSCOLO))
    await move(store, 4, certificate("a", 1, TUSCOLO, fingerprint=b"o", der=b"other signature"))
    found = await store.sighting(key("a"))
    assert found is not None
    assert found.sighting.der == certificate("a", 1).der
    assert found.sighting.fingerprint == certificate("a", 1).fingerprint


async def test_a_replay_changes_nothing(store: Store) -> None:
    """The same entries of the same log, read again after a step back, leave all as it was."""
    seen = (sighting("a", 0), certificate("b", 1), certificate("a", 2))
    await move(store, 3, *seen)
    before = (await store.sightings(), await store.alerts(), await store.due("mail", NOW))
    await move(store, 0)
    assert await move(store, 3, *seen, at=later(hours=1)) == Committed(0, 0)
    assert (await store.sightings(), await store.alerts(), await store.due("mail", NOW)) == before


async def test_another_leaf_at_a_known_index_is_no_replay(store: Store) -> None:
    """A log that takes an entry back and serves another one cannot hide the second."""
    await move(store, 1, sighting("decoy", 0))
    await move(store, 0)
    assert await move(store, 1, sighting("real", 0)) == Committed(1, 1)


async def test_new_matches_and_names_are_merged(store: Store) -> None:
    """What a wider watch list finds in a known issuance is added, without another alert."""
    await move(store, 1, sighting("a", 0))
    wider = sighting(
        "a", 0, TUSCOLO, names=("shop.example.com", "b.test"), matched=("b.test", "example.com")
    )
    assert await move(store, 1, wider) == Committed(0, 0)
    (found,) = await store.sightings()
    assert found.sighting.names == ("shop.example.com", "example.com", "b.test")
    assert found.sighting.matched == ("example.com", "b.test")
    assert len(await store.sightings(SightingFilter(matched="b.test"))) == 1


async def test_a_replay_with_a_wider_watch_list_is_merged(store: Store) -> None:
    """Reading an entry again for another watched name adds the match."""
    await move(store, 1, sighting("a", 0))
    await move(store, 0)
    await move(store, 1, sighting("a", 0, matched=("shop.example.com",)))
    (found,) = await store.sightings(SightingFilter(matched="shop.example.com"))
    assert found.sighting.matched == ("example.com", "shop.example.com")
    assert len(found.references) == 1


async def test_bulk_is_whole(store: Store) -> None:
    """Thousands of sightings in one step, most of them new, all arrive once."""
    await move(store, 1, sighting("issuance 7", 0, TUSCOLO))
    many = [sighting(f"issuance {number}", number) for number in range(2500)]
    assert await move(store, 2500, *many) == Committed(2499, 2499)
    assert len(await store.sightings(limit=10_000)) == 2500
    assert len(await store.due("hook", NOW, limit=10_000)) == 2500
    assert (await store.totals()).deliveries_due == 2500 * len(CHANNELS)


async def test_hostile_text_is_returned_unchanged(store: Store) -> None:
    """NUL, lone surrogates, backslashes and everything else survive in every text field."""
    odd = "\x00'\"\\u0000\\\\\ud800\udfff\u202e\n🐍" + "x" * 10_000
    given = sighting(
        "a",
        0,
        names=(odd,),
        matched=(odd,),
        issuer=odd,
        subject=odd,
        serial=odd,
        key_description=odd,
        reasons=(odd,),
        problems=(odd,),
    )
    await move(store, 1, given)
    (found,) = await store.sightings(SightingFilter(matched=odd))
    assert replace(found.sighting, der=given.der) == given


async def test_extreme_dates_survive(store: Store) -> None:
    """The first and the last second that a certificate can name are stored."""
    first = NOW.replace(year=1, month=1, day=1, hour=0)
    last = NOW.replace(year=9999, month=12, day=31)
    await move(store, 1, sighting("a", 0, not_before=first, not_after=last))
    (found,) = await store.sightings()
    assert (found.sighting.not_before, found.sighting.not_after) == (first, last)


async def test_lists_are_filtered(store: Store) -> None:
    """Matched item, verdict and time select, alone and together."""
    bad = Verdict.UNAUTHORIZED
    await move(store, 1, sighting("a", 0))
    await move(store, 2, sighting("b", 1, verdict=bad), at=later(hours=1))
    await move(store, 3, sighting("c", 2, verdict=bad, matched=("x.test",)), at=later(hours=2))

    async def names(**conditions: object) -> str:
        chosen = SightingFilter(**conditions)  # type: ignore[arg-type]
        of = {key(name): name for name in "abc"}
        return "".join([of[one.sighting.key] for one in await store.sightings(chosen)])

    assert await names() == "abc"
    assert await names(newest_first=True) == "cba"
    assert await names(matched="example.com") == "ab"
    assert await names(matched="no.such") == ""
    assert await names(verdict=bad) == "bc"
    assert await names(verdict=bad, matched="example.com") == "b"
    assert await names(since=later(hours=1)) == "bc"
    assert await names(before=later(hours=1)) == "a"
    assert await names(since=later(minutes=1), before=later(hours=2)) == "b"


@pytest.mark.parametrize("newest_first", [False, True])
async def test_pages_follow_each_other(store: Store, newest_first: bool) -> None:
    """Pages joined are the whole list, in the same order, without `der`."""
    await move(store, 7, *(sighting(str(number), number) for number in range(7)))
    whole = await store.sightings(SightingFilter(newest_first=newest_first))
    pages: list[StoredSighting] = []
    after = None
    while page := await store.sightings(
        SightingFilter(newest_first=newest_first, after=after), limit=3
    ):
        pages += page
        after = page[-1].id
    assert tuple(pages) == whole
    assert len(whole) == 7
    assert all(one.sighting.der == b"" for one in whole)


async def test_an_unknown_sighting_is_none(store: Store) -> None:
    """Asking for what is not there is no error."""
    assert await store.sighting(1) is None
    assert await store.sighting(key("a")) is None


@st.composite
def _views(draw: st.DrawFn) -> Sighting:
    some = st.lists(st.sampled_from("abc"), unique=True).map(tuple)
    make = certificate if draw(st.booleans()) else sighting
    return make(
        "a",
        draw(st.integers(0, 9)),
        names=draw(some),
        matched=draw(some),
        verdict=draw(st.sampled_from(Verdict)),
        reasons=draw(some),
        problems=draw(some),
        issuer=draw(st.sampled_from(["", "CN=x"])),
        not_after=draw(st.sampled_from([None, NOW])),
    )


@settings(deadline=None)
@given(_views(), _views(), _views())
def test_merging_forgets_nothing_and_settles(one: Sighting, two: Sighting, three: Sighting) -> None:
    """Any order gives the same content and gravest verdict, and repeating changes nothing."""
    gravity = ["authorized", "possibly-authorized", "unknown", "unauthorized"]
    merged = merge(merge(one, two), three)
    other = merge(merge(three, one), two)
    for name in ("names", "matched", "reasons", "problems"):
        assert set(getattr(merged, name)) == set(getattr(other, name))
    views = (one, two, three)
    for name in ("names", "matched", "problems"):
        assert set(getattr(merged, name)) == set().union(*(getattr(view, name) for view in views))
    assert merged.verdict == other.verdict
    assert gravity.index(merged.verdict) == max(gravity.index(view.verdict) for view in views)
    assert (merged.fingerprint, merged.issuer, merged.not_after) == (
        other.fingerprint,
        other.issuer,
        other.not_after,
    )
    assert all(merge(merged, view) == merged for view in (merged, *views))
