"""Records as meant beside records as served."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.comparison import Damage, compare_records
from pinwarden.caa.record import BrokenRecord, CAARecord

BOUND = b"ca.example;accounturi=https://ca.example/a/1;validationmethods=dns-01"


def issue(value: bytes, flags: int = 0, tag: bytes = b"issue") -> CAARecord:
    return CAARecord(flags, tag, value)


@pytest.mark.parametrize(
    ("meant", "served", "damage"),
    [
        (issue(BOUND), issue(b"ca.example"), Damage.CUT),
        (issue(BOUND), issue(b"ca.example;"), Damage.CUT),
        (issue(BOUND), issue(BOUND.rpartition(b";")[0]), Damage.CUT),
        (issue(b"ca.example; a=b"), issue(b"ca.example"), Damage.CUT),
        (issue(BOUND), issue(b'"ca.example'), Damage.CUT),
        (issue(BOUND), issue(b"ca.example."), Damage.CUT),
        (issue(b"ca.example"), issue(b'"ca.example"'), Damage.QUOTED),
        (issue(b";"), issue(b'\\";\\"'), Damage.QUOTED),
        (issue(BOUND), issue(BOUND.replace(b";", b"; ")), Damage.BLANKS),
        (issue(b"ca.example"), issue(b"CA.example"), Damage.CASE),
        (issue(b"ca.example"), issue(b"ca.example", tag=b"ISSUE"), Damage.CASE),
        (issue(b"ca.example", 128), issue(b"ca.example"), Damage.FLAGS),
        (issue(b"ca.example"), issue(b"ca.example;"), Damage.SEMICOLON),
        (issue(b";"), issue(b""), Damage.SEMICOLON),
        (issue(b"ca.example"), issue(b"ca.example."), Damage.DOT),
        (issue(BOUND), issue(BOUND.replace(b"e;acc", b"e.;acc")), Damage.DOT),
        (issue(BOUND), issue(BOUND.replace(b";", b"\\;")), Damage.BACKSLASH),
        (issue(BOUND), issue(BOUND.replace(b";", b"\\059")), Damage.BACKSLASH),
        (issue(b"ca.example"), issue(b"ca.example", tag=b"issuewild"), Damage.TAG),
        (issue(BOUND), issue(b"ca.example;accounturi=https://ca.example/a/2"), Damage.ALTERED),
    ],
)
def test_known_damage_is_called_by_its_name(
    meant: CAARecord, served: CAARecord, damage: Damage
) -> None:
    """What a provider made of a record is one difference, not a loss and a surprise."""
    (found,) = compare_records([meant], [served])
    assert (found.damage, found.meant, found.served) == (damage, meant, served)


def test_what_is_not_alike_is_missing_and_unexpected() -> None:
    """Two records that have nothing to do with each other are two differences."""
    ours, theirs = issue(b"ca.example"), issue(b"other.example")
    assert [each.damage for each in compare_records([ours], [theirs])] == [
        Damage.MISSING,
        Damage.UNEXPECTED,
    ]


def test_a_record_that_cannot_be_read_is_told() -> None:
    """Broken RDATA beside the right set is a difference."""
    (found,) = compare_records(
        [issue(b";")], [issue(b";"), BrokenRecord(b"\x00\x00", "tag length 0")]
    )
    assert found.damage is Damage.BROKEN
    assert "0000 (tag length 0)" in found.sentence


def test_the_nearest_likeness_wins() -> None:
    """A cut record does not take the place of the one that was only re-cased."""
    meant = [issue(BOUND), issue(b"ca.example", tag=b"issuewild")]
    served = [issue(b"ca.example", tag=b"IssueWild"), issue(b"ca.example")]
    assert {(each.meant, each.damage) for each in compare_records(meant, served)} == {
        (meant[0], Damage.CUT),
        (meant[1], Damage.CASE),
    }


records = st.builds(
    CAARecord,
    st.sampled_from([0, 1, 128]),
    st.sampled_from([b"issue", b"ISSUE", b"issuewild", b"iodef"]),
    st.text(' ;"\\.=aAb\x1b', max_size=8).map(str.encode),
)


@given(st.lists(records, max_size=5), st.lists(records, max_size=5))
def test_no_difference_means_the_same_set(one: list[CAARecord], other: list[CAARecord]) -> None:
    """Every record that is in one set only is in exactly one difference, in printable words."""
    found = compare_records(one, other)
    assert {each.meant for each in found} - {None} == set(one) - set(other)
    assert {each.served for each in found} - {None} == set(other) - set(one)
    assert len([each for each in found if each.meant]) == len(set(one) - set(other))
    assert all(each.sentence.isprintable() for each in found)
