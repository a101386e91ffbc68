"""A change of policy: what may be issued now that was refused before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caa.observations import CA1, CA2, NOBODY, look
from pinwarden.caa.history.change import change_finding
from pinwarden.caa.history.difference import newly_permitted, newly_refused
from pinwarden.caa.history.observation import found_of
from pinwarden.caa.lookup import DNSSECState
from pinwarden.findings import CAA_CHANGED, CAA_LOOSENED

BOUND = '0 issue "ca1.example.net;accounturi=https://ca1.example.net/a/1"'
OTHER_ACCOUNT = BOUND.replace("a/1", "a/2")
BY_DNS = '0 issue "ca1.example.net;validationmethods=dns-01"'
BY_BOTH = '0 issue "ca1.example.net;validationmethods=dns-01,http-01"'
NO_WILD = '0 issuewild ";"'


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([CA1], [], "any CA may issue now for certificates and wildcard certificates"),
        ([NO_WILD], [], "any CA may issue now for wildcard certificates"),
        ([CA1], ['0 iodef "mailto:a@example.com"'], "any CA may issue now"),
        ([CA1], [NO_WILD], "any CA may issue now for certificates;"),
        ([CA1, '0 issuemail ";"'], [CA1], "any CA may issue now for S/MIME certificates;"),
        (
            [NOBODY, '0 issuemail ";"', '0 issuevmc ";"'],
            [],
            "any CA may issue now for certificates of every kind;",
        ),
        ([CA1, '0 issuevmc ";"'], [CA1], "any CA may issue now for mark certificates;"),
        ([CA1], [CA1, CA2], "'ca2.example.org' may issue now for certificates and wildcard"),
        ([CA1], [CA2], "'ca2.example.org' may issue now"),
        ([CA1, NO_WILD], [CA1], "'ca1.example.net' may issue now for wildcard certificates;"),
        ([BOUND], [CA1], "'ca1.example.net' may issue now for other accounts or by other methods"),
        ([BOUND], [BOUND, CA1], "for other accounts or by other methods"),
        ([BOUND], [OTHER_ACCOUNT], "for other accounts or by other methods"),
        ([BY_DNS], [BY_BOTH], "for other accounts or by other methods"),
        ([CA1, '128 future "x"'], [CA1], "'ca1.example.net' may issue now"),
        ([CA1, '128 future "x"'], [CA1, '0 future "x"'], "'ca1.example.net' may issue now"),
        ([NOBODY], ['0 issue "CA1.example.NET"'], "'ca1.example.net' may issue now"),
    ],
)
def test_loosened(before: list[str], after: list[str], says: str) -> None:
    """Whatever is permitted that was refused is said, and for which certificates."""
    finding = change_finding(look(-1, *before), look(0, *after))
    assert finding is not None
    assert says in finding.message
    assert finding.kind is CAA_LOOSENED
    assert finding.subject == "CAA of example.com"
    assert finding.message.startswith("example.com: ")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([], [CA1], "not any CA may issue now for certificates and wildcard certificates;"),
        ([CA1, CA2], [CA1], "'ca2.example.org' may issue no more for certificates and wildcard"),
        ([CA1], [NOBODY], "'ca1.example.net' may issue no more for certificates and wildcard"),
        ([CA1], [BOUND], "may issue no more for other accounts or by other methods"),
        ([BY_BOTH], [BY_DNS], "may issue no more for other accounts or by other methods"),
        ([CA1], [CA1, '0 iodef "mailto:a@example.com"'], "the same CAs may issue as before"),
        ([CA1], [CA1, NO_WILD], "'ca1.example.net' may issue no more for wildcard certificates;"),
        ([CA1], [CA1, '128 future "x"'], "'ca1.example.net' may issue no more for certificates"),
        ([CA1], ['0 issue "ca1.example.net;"', CA1], "the same CAs may issue as before"),
        ([CA1], ['128 issue "ca1.example.net"'], "the same CAs may issue as before"),
        ([NOBODY], [NOBODY, "\\# 1 00"], "the same CAs may issue as before"),
    ],
)
def test_changed(before: list[str], after: list[str], says: str) -> None:
    """What permits nothing new is a change, and says whose renewals will fail."""
    finding = change_finding(look(-1, *before), look(0, *after))
    assert finding is not None
    assert finding.kind is CAA_CHANGED
    assert says in finding.message
    assert dict(finding.details)["seen now"] == "2026-05-02T12:00:00+00:00"


def test_another_ca_in_place_of_one() -> None:
    """Whoever is woken learns both: who may issue now, and who may no more."""
    finding = change_finding(look(-1, CA1), look(0, CA2), also=["www.example.com"])
    assert finding is not None
    assert finding.message == (
        "example.com and 1 more name: "
        "'ca2.example.org' may issue now for certificates and wildcard certificates; "
        "'ca1.example.net' may issue no more for certificates and wildcard certificates; "
        """before: '0 issue "ca1.example.net"'; now: '0 issue "ca2.example.org"'"""
    )
    assert dict(finding.details)["names"] == "example.com, www.example.com"


def test_nothing_hides_in_a_crowd() -> None:
    """A hostile set cannot hide who gained behind many who gained nothing."""
    nobody = [f'0 issue "a{number}.example;validationmethods="' for number in range(500)]
    bound = [
        f'0 issue "ca1.example.net;accounturi=https://ca1.example.net/{n}"' for n in range(500)
    ]
    for old in ([*nobody, NOBODY], [*bound, NOBODY]):
        for new, says in (('0 issue "zz.example"', "'zz.example'"), (CA1, "'ca1.example.net'")):
            finding = change_finding(look(-1, *old), look(0, *old, new))
            assert finding is not None
            assert finding.kind is CAA_LOOSENED
            assert f"{says} may issue now" in finding.message
    gained = change_finding(look(-1, NOBODY), look(0, NOBODY, *bound))
    assert gained is not None
    assert gained.kind is CAA_LOOSENED


def test_no_change() -> None:
    """Order and TTL are no policy."""
    assert change_finding(look(-1, CA1, CA2), look(0, CA2, CA1, ttl=5)) is None


def test_a_set_that_moved() -> None:
    """The same records at another name are a change."""
    finding = change_finding(look(-1, CA1), look(0, CA1, relevant_name="com"))
    assert finding is not None
    assert finding.kind is CAA_CHANGED
    assert "at 'com'" in finding.message


def test_a_zone_that_is_no_longer_signed() -> None:
    """Losing DNSSEC is a change of its own; not knowing it is none."""
    signed, unsigned, unknown = (
        look(0, CA1, dnssec=state)
        for state in (DNSSECState.SECURE, DNSSECState.INSECURE, DNSSECState.INDETERMINATE)
    )
    finding = change_finding(signed, unsigned)
    assert finding is not None
    assert finding.kind is CAA_CHANGED
    assert "no longer signed" in finding.message
    assert change_finding(unsigned, signed) is None
    assert change_finding(signed, unknown) is None
    both = change_finding(signed, look(0, CA2, dnssec=DNSSECState.INSECURE))
    assert both is not None
    assert both.kind is CAA_LOOSENED
    assert "no longer signed" in both.message


def test_hostile_records_stay_in_one_line() -> None:
    """Thousands of records and terminal controls make one short printable line."""
    many = [f'0 issue "ca{number}.example"' for number in range(1001)]
    hostile = ('0 x "\\027[31m"', f'0 issue "{"a" * 9999}"')
    finding = change_finding(look(-1, CA1), look(0, *many, *hostile))
    assert finding is not None
    assert finding.kind is CAA_LOOSENED
    assert finding.message.isprintable()
    assert len(finding.message) < 2000
    assert all(len(value) < 12_000 for _, value in finding.details)


_SETS = st.lists(
    st.sampled_from([CA1, CA2, NOBODY, BOUND, OTHER_ACCOUNT, BY_DNS, BY_BOTH, NO_WILD, "\\# 1 00"]),
    max_size=4,
    unique=True,
)


@given(_SETS, _SETS)
def test_what_is_gained_is_not_lost(before: list[str], after: list[str]) -> None:
    """A set compared with itself permits nothing new, and one added to nothing never does."""
    one, other = (found_of(look(0, *records)) for records in (before, after))
    assert newly_permitted(one, one) == ()
    nothing = found_of(look(0))
    assert newly_permitted(nothing, other) == ()
    assert bool(newly_permitted(one, other)) == bool(newly_refused(other, one))
