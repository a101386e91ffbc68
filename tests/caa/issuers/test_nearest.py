"""Suggestions for a mistyped CA domain, and none where nothing is near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.issuers.map import load_issuers
from pinwarden.caa.issuers.nearest import distance, registered_label


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("letsecrypt.org", "letsencrypt.org"),
        ("letsencrytp.org", "letsencrypt.org"),
        ("letsencrypt.com", "letsencrypt.org"),
        ("lets-encrypt.org", "letsencrypt.org"),
        ("Let's Encrypt", "letsencrypt.org"),
        ("ISRG", "letsencrypt.org"),
        ("https://letsencrypt.org/docs", "letsencrypt.org"),
        ("ca@letsencrypt.org", "letsencrypt.org"),
        ("acme-v02.api.letsencrypt.org", "letsencrypt.org"),
        ("sectigo.org", "sectigo.com"),
        ("www.sectigo.com", "sectigo.com"),
        ("comodo", "sectigo.com"),
        ("zerossl.com", "sectigo.com"),
        ("digicrt.com", "digicert.com"),
        ("evil-digicert.com", "digicert.com"),
        ("pki.google.com", "pki.goog"),
        ("entrust.com", "entrust.net"),
        ("globalsing.com", "globalsign.com"),
        ("apple.com", "pki.apple.com"),
        ("buypass.se", "buypass.com"),
        ("ssl.org", "ssl.com"),
    ],
)
def test_what_was_meant_comes_first(asked: str, meant: str) -> None:
    """Mistypings, other top-level domains, brands, URLs and hosts."""
    suggestions = load_issuers().nearest(asked)
    assert suggestions[0].domain == meant
    assert suggestions[0].why
    assert meant in suggestions[0].owner.all_domains


@pytest.mark.parametrize(
    "asked",
    [
        *("", ".", ";", "ca.example.net", "unknown.invalid", "example.org", "x", "a" * 1000),
        *("\x1b[31m", "pki.lan", "ssl.internal", "cisco.local", "pki.gov.uk", "pki.corp.test"),
    ],
)
def test_nothing_is_suggested_for_what_is_near_to_nothing(asked: str) -> None:
    """A wrong suggestion is worse than none."""
    assert load_issuers().nearest(asked) == ()


def test_a_known_domain_needs_no_suggestion() -> None:
    """Nor does one that it is written in another case."""
    assert load_issuers().nearest("LetsEncrypt.ORG.") == ()


@given(st.text(max_size=80), st.integers(0, 5))
def test_any_text_may_be_asked_for(text: str, limit: int) -> None:
    """At most so many, one of each owner, each a domain of that owner."""
    found = load_issuers().nearest(text, limit)
    assert len(found) <= limit
    assert len({each.owner.name for each in found}) == len(found)
    assert all(each.domain in each.owner.all_domains for each in found)


@given(st.sampled_from([d for owner in load_issuers().owners for d in owner.domains]), st.data())
def test_one_wrong_letter_is_seen_through(domain: str, data: st.DataObject) -> None:
    """Leaving out one letter of a long name, its owner is among what is suggested."""
    label = registered_label(domain)
    if len(label) < 8:
        return
    start = domain.index(label)
    place = data.draw(st.integers(start, start + len(label) - 1))
    asked = domain[:place] + domain[place + 1 :]
    issuers = load_issuers()
    owner = issuers.owner_of(domain)
    assert issuers.owner_of(asked) or owner in {each.owner for each in issuers.nearest(asked)}


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("", "", 0),
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "ab", 1),
        ("abc", "axc", 1),
        ("abc", "bca", 2),
        ("abcd", "badc", 2),
        ("kitten", "sitting", 3),
    ],
)
def test_the_distance(one: str, other: str, apart: int) -> None:
    """Both ways round, and never more than was asked for."""
    assert distance(one, other, 5) == distance(other, one, 5) == apart
    assert distance(one, other, 1) == min(apart, 2)


@pytest.mark.parametrize(
    ("domain", "label"),
    [
        ("digicert.com", "digicert"),
        ("www.digicert.com", "digicert"),
        ("comsign.co.il", "comsign"),
        ("tls.hinet.net", "hinet"),
        ("twca.com.tw", "twca"),
        ("pki.goog", "pki"),
        ("localhost", "localhost"),
    ],
)
def test_the_label_that_carries_the_name(domain: str, label: str) -> None:
    """Not the host, and not what everybody registers under."""
    assert registered_label(domain) == label
