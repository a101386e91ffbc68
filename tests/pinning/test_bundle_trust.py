"""What makes a bundle believed, and every way in which an attacker would have it otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning.bundle import BundleFile, SignedText, to_bundle_text
from pinwarden.pinning.bundle_trust import (
    Accepted,
    BundleRefusedError,
    Refusal,
    Trust,
    accept,
    signers,
)
from pinwarden.pinning.minisign import PublicKey
from pinwarden.pinning.minisign_secret import SecretKey
from support.pin_bundles import (
    ANNA,
    BERT,
    CLEO,
    DORA,
    EMIL,
    KEYS,
    NAME,
    TRUST,
    bundle,
    file_of,
    key_set,
    pin_set,
    signed,
)

# The keys before and after a change, which the third bundle makes.
LATER = key_set(2, DORA, EMIL, CLEO)
CHANGE = signed(bundle(3, next_keys=LATER), ANNA, BERT, DORA, EMIL)


def refused(
    file: BundleFile, trust: Trust = TRUST, last: Accepted | None = None
) -> BundleRefusedError:
    with pytest.raises(BundleRefusedError) as caught:
        accept(file, trust, last)
    assert str(caught.value).isprintable()
    return caught.value


def test_enough_of_the_keys_make_a_bundle_believed() -> None:
    for pair in ((ANNA, BERT), (BERT, CLEO), (CLEO, ANNA), (ANNA, BERT, CLEO)):
        found = accept(file_of(bundle(), pair), TRUST)
        assert (found.bundle, found.keys, found.file.chain) == (bundle(), KEYS, ())


@pytest.mark.parametrize(
    "signers",
    [(), (ANNA,), (ANNA, ANNA), (DORA, EMIL), (ANNA, DORA, EMIL), (DORA,) * 10],
)
def test_too_few_signatures_are_none(signers: Sequence[SecretKey]) -> None:
    assert refused(file_of(bundle(), signers)).why is Refusal.UNSIGNED


def test_a_key_that_uses_the_name_of_another_counts_for_nothing() -> None:
    """The eight octets that name a key are whatever its maker wishes."""
    mimic = SecretKey(BERT.key_id, DORA.seed)
    assert refused(file_of(bundle(), (ANNA, mimic))).why is Refusal.UNSIGNED


def test_trusted_keys_of_one_name_are_told_apart() -> None:
    twin = SecretKey(ANNA.key_id, BERT.seed)
    trust = Trust(NAME, key_set(2, ANNA, twin))
    assert accept(file_of(bundle(), (ANNA, twin)), trust).version == 1
    assert refused(file_of(bundle(), (ANNA, ANNA)), trust).why is Refusal.UNSIGNED
    assert refused(file_of(bundle(), (twin, twin)), trust).why is Refusal.UNSIGNED


def test_one_signature_named_twice_counts_once() -> None:
    text = to_bundle_text(bundle())
    made = ANNA.sign(text.encode())
    other = ANNA.sign(text.encode(), trusted_comment="another")
    renamed = replace(made, key_id=BERT.key_id)
    file = BundleFile(SignedText(text, (made, other, renamed)))
    assert refused(file).why is Refusal.UNSIGNED
    assert signers(file.signed, KEYS.keys) == (ANNA.public,)


@given(st.data())
def test_any_change_of_the_text_is_noticed(data: st.DataObject) -> None:
    file = file_of(bundle())
    text = file.signed.text
    at = data.draw(st.integers(0, len(text) - 1))
    piece = data.draw(st.text(st.characters(codec="utf-8"), max_size=2))
    other = text[:at] + piece + text[at + data.draw(st.integers(0, 2)) :]
    if other != text:
        changed = BundleFile(replace(file.signed, text=other))
        assert refused(changed).why is Refusal.UNSIGNED


def test_signed_nonsense_is_refused() -> None:
    for text in ("", "{}", "hello", '{"format": "pinwarden-pins-1", "format": "x"}'):
        assert refused(file_of(text)).why is Refusal.MALFORMED


def test_a_bundle_of_another_program_is_refused() -> None:
    """The same people may sign for several."""
    assert refused(file_of(bundle(9, name="bank"))).why is Refusal.OTHER_NAME


def test_versions_only_grow() -> None:
    last = accept(file_of(bundle(7)), TRUST)
    assert accept(file_of(bundle(8)), TRUST, last).version == 8
    assert accept(file_of(bundle(2**53 - 1)), TRUST, last).version == 2**53 - 1
    for version in (1, 6):
        assert refused(file_of(bundle(version)), last=last).why is Refusal.ROLLED_BACK


def test_the_same_bundle_again_is_no_news() -> None:
    last = accept(file_of(bundle(7), (ANNA, BERT)), TRUST)
    assert accept(file_of(bundle(7), (BERT, CLEO)), TRUST, last) is last


def test_two_bundles_of_one_version_are_told() -> None:
    last = accept(file_of(bundle(7)), TRUST)
    other = file_of(bundle(7, pins=pin_set("another key")))
    assert refused(other, last=last).why is Refusal.EQUIVOCATION
    blanks = to_bundle_text(bundle(7)).replace("\n", "\n ")
    assert json.loads(blanks) == json.loads(to_bundle_text(bundle(7)))
    assert refused(file_of(blanks), last=last).why is Refusal.EQUIVOCATION


def test_nothing_below_the_floor_is_taken() -> None:
    trust = replace(TRUST, floor=5)
    assert accept(file_of(bundle(5)), trust).version == 5
    assert refused(file_of(bundle(4)), trust).why is Refusal.ROLLED_BACK
    last = accept(file_of(bundle(3)), TRUST)
    assert refused(file_of(bundle(4)), trust, last).why is Refusal.ROLLED_BACK


def test_keys_change_if_the_old_and_the_new_say_so() -> None:
    before = accept(file_of(bundle(2)), TRUST)
    found = accept(BundleFile(CHANGE), TRUST, before)
    assert found.keys == LATER
    assert accept(file_of(bundle(4), (DORA, EMIL)), TRUST, found).version == 4
    assert refused(file_of(bundle(4), (ANNA, BERT)), last=found).why is Refusal.UNSIGNED


@pytest.mark.parametrize(
    "signers",
    [(DORA, EMIL), (ANNA, DORA, EMIL), (ANNA, BERT), (ANNA, BERT, DORA), (ANNA, CLEO, DORA)],
)
def test_keys_change_only_if_enough_of_both_say_so(signers: tuple[SecretKey, ...]) -> None:
    change = bundle(3, next_keys=LATER)
    enough_old = len({each.key_id for each in signers} & {e.key_id for e in (ANNA, BERT, CLEO)}) > 1
    enough_new = len({each.key_id for each in signers} & {e.key_id for e in (DORA, EMIL, CLEO)}) > 1
    if enough_old and enough_new:
        assert accept(file_of(change, signers), TRUST).keys == LATER
        return
    assert refused(file_of(change, signers)).why is Refusal.UNSIGNED
    # As a link it is as good as absent.
    later = file_of(bundle(4), (DORA, EMIL), [signed(change, *signers)])
    assert refused(later).why is Refusal.UNSIGNED


def test_who_missed_a_change_of_keys_walks_through_it() -> None:
    file = file_of(bundle(9), (DORA, EMIL), [CHANGE])
    assert refused(BundleFile(file.signed)).why is Refusal.UNSIGNED
    for last in (None, accept(file_of(bundle(2)), TRUST)):
        found = accept(file, TRUST, last)
        assert (found.version, found.keys, found.file.chain) == (9, LATER, (CHANGE,))


def test_who_is_past_a_change_passes_it_by() -> None:
    built_later = Trust(NAME, LATER, floor=4)
    assert accept(file_of(bundle(9), (DORA, EMIL), [CHANGE]), built_later).file.chain == ()


def test_keys_built_in_are_not_led_back_to_older_ones() -> None:
    """A change that those who sign now had signed before brings back whom they gave up since."""
    now = key_set(2, DORA, EMIL)
    stolen = (CLEO, DORA)
    for floor, taken in ((1, True), (4, False)):
        file = file_of(bundle(9), stolen, [CHANGE])
        trust = Trust(NAME, now, floor=floor)
        if taken:
            assert accept(file, trust).keys == LATER
        else:
            assert refused(file, trust).why is Refusal.UNSIGNED


def test_what_led_here_is_kept_though_the_server_forgets_it() -> None:
    """Else the cache could not be verified from the keys built in."""
    steps = accept(BundleFile(CHANGE), TRUST)
    found = accept(file_of(bundle(4), (DORA, EMIL)), TRUST, steps)
    assert found.file.chain == (CHANGE,)
    assert accept(found.file, TRUST) == found
    back = bundle(5, next_keys=KEYS)
    again = accept(file_of(back, (DORA, EMIL, ANNA, BERT)), TRUST, found)
    last = accept(file_of(bundle(6)), TRUST, again)
    assert [len(each.file.chain) for each in (again, last)] == [1, 2]
    assert accept(last.file, TRUST) == last


def test_keys_that_were_given_up_sign_nothing_any_more() -> None:
    """Who has stolen old keys, and knows of the change, cannot undo it."""
    last = accept(BundleFile(CHANGE), TRUST)
    thief = (ANNA, BERT)
    for chain in ([], [CHANGE], [signed(bundle(8, next_keys=KEYS), ANNA, BERT)]):
        assert refused(file_of(bundle(99), thief, chain), last=last).why is Refusal.UNSIGNED


def test_links_cannot_be_swapped_or_taken_from_others() -> None:
    second = signed(bundle(5, next_keys=KEYS), DORA, EMIL, ANNA, BERT)
    assert accept(file_of(bundle(6), chain=[CHANGE, second]), TRUST).keys == KEYS
    assert refused(file_of(bundle(6), chain=[CHANGE])).why is Refusal.UNSIGNED
    other = file_of(bundle(6), (DORA, EMIL), [second, CHANGE])
    assert refused(other).why is Refusal.UNSIGNED
    foreign = signed(bundle(3, next_keys=LATER, name="bank"), ANNA, BERT, DORA, EMIL)
    assert refused(file_of(bundle(6), (DORA, EMIL), [foreign])).why is Refusal.UNSIGNED


def test_a_link_of_the_future_brings_back_no_old_bundle() -> None:
    again = signed(bundle(20, next_keys=key_set(2, ANNA, BERT)), ANNA, BERT)
    assert refused(file_of(bundle(6), (ANNA, BERT), [again])).why is Refusal.ROLLED_BACK


def test_a_file_does_not_grow_without_end() -> None:
    links = [signed(bundle(n, next_keys=KEYS), ANNA, BERT) for n in range(1, 65)]
    last = accept(file_of(bundle(65), chain=links), TRUST)
    last = replace(last, bundle=bundle(66, next_keys=KEYS))
    assert refused(file_of(bundle(67)), last=last).why is Refusal.MALFORMED


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=12))
def test_whatever_is_played_to_a_client_its_version_never_falls(
    offers: list[tuple[int, bool]],
) -> None:
    last: Accepted | None = None
    for version, good in offers:
        before = last.version if last else 0
        try:
            last = accept(file_of(bundle(version), (ANNA, BERT) if good else (ANNA,)), TRUST, last)
        except BundleRefusedError:
            assert not good or version < before
        else:
            # The same text is no news, whoever signed it this time.
            assert last.version == max(before, version) == version
            assert good or version == before


def test_a_public_key_is_not_believed_for_its_name() -> None:
    impostor = PublicKey(ANNA.key_id, DORA.public.octets)
    assert signers(signed(bundle(), ANNA), [impostor]) == ()
