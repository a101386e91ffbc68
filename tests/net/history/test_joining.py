"""What several sources tell, joined into issuances."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from net.history.conftest import AT
from pinwarden.issuances import PastIssuance
from pinwarden.net.history.comparison import Standing, compare_histories
from pinwarden.net.history.joining import join_issuances, merge_issuances

HASH, OTHER = b"\x01" * 32, b"\x02" * 32
ONE = PastIssuance(
    names=("shop.example",),
    issuer="CN=E1,O=Some CA,C=XX",
    not_before=AT - timedelta(days=30),
    not_after=AT + timedelta(days=60),
    source="store",
    serial="ab12",
    tbs_sha256=HASH,
)
ROW = replace(
    ONE, source="crtsh", issuer='C=XX, O="Some CA", CN=E1', serial="AB12", tbs_sha256=None
)


def test_serial_and_issuer_join_what_has_no_hash() -> None:
    """However the issuer is written, and whichever comes first."""
    for told in ([ONE, ROW], [ROW, ONE], [ROW, replace(ROW, reference="2"), ONE]):
        [group] = join_issuances(told)
        assert len(group) == len(told)


def test_kinds_of_attributes_do_not_matter() -> None:
    """One source knows the word for an OID, and another does not."""
    ours = replace(ONE, issuer="CN=E1,2.5.4.97=VATES-1,O=Some CA")
    theirs = replace(ROW, issuer="O=Some CA, organizationIdentifier=VATES-1, CN=E1")
    assert len(join_issuances([ours, theirs])) == 1


def test_many_of_one_serial_number_cost_no_more() -> None:
    """A service that tells a million of them does not keep us for hours."""
    told = [replace(ONE, tbs_sha256=number.to_bytes(32)) for number in range(20_000)]
    assert len(join_issuances([*told, ROW])) == 20_001


def test_two_hashes_never_join() -> None:
    """Two certificates of one serial number are two, and a row of neither joins with none."""
    groups = join_issuances([ONE, replace(ONE, source="certspotter", tbs_sha256=OTHER), ROW])
    assert sorted(len(group) for group in groups) == [1, 1, 1]


def test_another_issuer_does_not_join() -> None:
    """A serial number names a certificate of one issuer only."""
    assert len(join_issuances([ONE, replace(ROW, issuer="C=XX, O=Other CA, CN=E1")])) == 2


def test_without_serial_or_hash_nothing_joins() -> None:
    """The same names and dates may be two certificates, and one could hide the other."""
    bare = replace(ONE, serial="", tbs_sha256=None)
    assert len(join_issuances([bare, bare, ONE])) == 3


def test_merging_keeps_what_each_knows() -> None:
    """The octets of one, the keys of another, the earliest time, and a revocation."""
    spotter = replace(
        ONE, source="certspotter", issuer_spki_sha256=OTHER, revoked=False, spki_sha256=HASH
    )
    late = replace(ROW, seen=AT, names=("shop.example", "www.shop.example"), revoked=True)
    ours = replace(ONE, seen=AT - timedelta(days=1), der=b"0")
    merged = merge_issuances([late, spotter, ours])
    assert merged.source == "store, certspotter, crtsh"
    assert merged.names == ("shop.example", "www.shop.example")
    assert (merged.issuer_spki_sha256, merged.spki_sha256, merged.der) == (OTHER, HASH, b"0")
    assert (merged.seen, merged.revoked) == (AT - timedelta(days=1), True)


@given(
    st.lists(
        st.builds(
            replace,
            st.sampled_from([ONE, ROW]),
            serial=st.sampled_from(["", "ab12", "00AB12", "ff"]),
            tbs_sha256=st.sampled_from([None, HASH, OTHER]),
            reference=st.sampled_from(["1", "2"]),
        ),
        max_size=8,
    )
)
def test_joining_loses_and_invents_nothing(told: list[PastIssuance]) -> None:
    """Every telling is in one group, and no group has two hashes."""
    groups = join_issuances(told)
    assert sorted(map(repr, told)) == sorted(repr(each) for group in groups for each in group)
    for group in groups:
        assert len({each.tbs_sha256 for each in group} - {None}) <= 1
        assert merge_issuances(group).names == ONE.names
    hashes = [{each.tbs_sha256 for each in group} - {None} for group in groups]
    known = [next(iter(each)) for each in hashes if each]
    assert len(known) == len(set(known))


def test_standings() -> None:
    """What is missing, what could not be there yet or any more, and what only we have."""
    began = AT - timedelta(days=60)
    theirs = replace(ONE, source="certspotter")

    def standing(*told: PastIssuance) -> Standing:
        [compared] = compare_histories([told], began=began, at=AT)
        return compared.standing

    assert standing(ONE, theirs) is Standing.BOTH
    assert standing(theirs) is Standing.MISSING
    assert standing(replace(theirs, not_after=AT - timedelta(days=1))) is Standing.MISSING
    assert standing(replace(theirs, not_before=AT - timedelta(hours=23))) is Standing.TOO_NEW
    old = replace(theirs, not_before=began - timedelta(days=1))
    assert standing(old) is Standing.BEFORE_WATCHING
    # An old certificate that a log had only while we watched should have been seen.
    assert standing(replace(old, seen=began + timedelta(days=1))) is Standing.MISSING
    assert standing(ONE) is Standing.OURS_ONLY
    assert standing(replace(ONE, not_after=AT - timedelta(days=1))) is Standing.OURS_ONLY_ENDED


def test_a_store_that_does_not_say_when_it_began() -> None:
    """Then nothing is excused by its age."""
    old = replace(ONE, source="crtsh", not_before=AT - timedelta(days=3000))
    [compared] = compare_histories([(old,)], began=None, at=AT)
    assert compared.standing is Standing.MISSING
