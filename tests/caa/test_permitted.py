"""Whom a set lets issue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.evaluate import CAAVerdict, Purpose, Request, evaluate_caa
from pinwarden.caa.permitted import Whom, evaluate_permitted
from pinwarden.caa.profiles import RFC8659
from support.caa_sets import failed, failed_at, found_at

NAME = "example.com"


@pytest.mark.parametrize(
    ("texts", "whom", "issuers"),
    [
        (('0 issue "a.example"',), Whom.LISTED, ["a.example"]),
        (('0 issue "a.example"', '0 issue ";"'), Whom.LISTED, ["a.example"]),
        (('0 issue ";"',), Whom.NOBODY, []),
        (('0 issue "%%%"',), Whom.NOBODY, []),
        (('0 iodef "mailto:a@b.example"',), Whom.ANYONE, []),
        (('0 issuewild ";"',), Whom.ANYONE, []),
        (('0 issue "a.example"', '128 tbs "x"'), Whom.NOBODY, []),
        (('0 issue "a.example;accounturi=https://a.example/1"',), Whom.LISTED, ["a.example"]),
        (('0 issue "a.example;accounturi=12345"',), Whom.NOBODY, []),
        (('0 issue "a.example;validationmethods="',), Whom.NOBODY, []),
        (
            ('0 issue "a.example;accounturi=1"', '0 issue "b.example;validationmethods=dns-01"'),
            Whom.LISTED,
            ["b.example"],
        ),
        ((r"\# 1 00",), Whom.UNKNOWN, []),
    ],
)
def test_plain_names(texts: tuple[str, ...], whom: Whom, issuers: list[str]) -> None:
    permitted = evaluate_permitted(found_at(NAME, *texts))
    assert permitted.whom is whom
    assert [value.issuer for value in permitted.values] == issuers


def test_nothing_found_and_nothing_known() -> None:
    assert evaluate_permitted(RelevantSet(NAME)).whom is Whom.ANYONE
    assert evaluate_permitted(failed_at(failed(NAME))).whom is Whom.UNKNOWN


def test_wildcards_and_other_purposes_have_their_own_properties() -> None:
    found = found_at(NAME, '0 issue "a.example"', '0 issuewild ";"', '0 issuemail "b.example"')
    assert evaluate_permitted(found, wildcard=True).whom is Whom.NOBODY
    assert evaluate_permitted(found, purpose=Purpose.SMIME).values[0].issuer == "b.example"
    assert evaluate_permitted(found, purpose=Purpose.VMC).whom is Whom.ANYONE


TEXTS = st.sampled_from(
    [
        *('0 issue "a.example"', '0 issue ";"', '0 issuewild "a.example"', '0 issuewild ";"'),
        *('0 issue "%%"', '0 iodef "x"', '128 tbs "x"', '0 issuemail "b.example"'),
    ]
)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.booleans(), st.sampled_from(Purpose))
def test_agrees_with_the_decision_about_one_ca(
    texts: list[str], wildcard: bool, purpose: Purpose
) -> None:
    found = found_at(NAME, *texts)
    permitted = evaluate_permitted(found, wildcard=wildcard, purpose=purpose)
    for ca in ("a.example", "b.example", "nobody.example"):
        request = Request(name=NAME, issuers=(ca,), wildcard=wildcard, purpose=purpose)
        decision = evaluate_caa(found, request, RFC8659.knowing(purpose.tag))
        expected = permitted.whom is Whom.ANYONE or ca in [v.issuer for v in permitted.values]
        assert (decision.verdict is CAAVerdict.ALLOWED) == expected
