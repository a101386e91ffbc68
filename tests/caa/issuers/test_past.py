"""The CA of a certificate of the past, from keys, domains or a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.issuers.map import How, load_issuers, parse_issuers
from pinwarden.caa.issuers.past import issuer_of_past, organisation_in
from pinwarden.issuances import PastIssuance
from pinwarden.lab.ca import CA
from support.caa_own_map import DOMAIN, tables_knowing

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [
    ("CN=R11,O=Let's Encrypt,C=US", "Let's Encrypt"),
    ('C=US, O="VeriSign, Inc.", OU=VeriSign Trust Network', "VeriSign, Inc."),
    (r"CN=x,O=GoDaddy.com\, Inc.,L=Scottsdale", "GoDaddy.com, Inc."),
    ('CN="a, O=Another", O=Amazon', "Amazon"),
    (r"CN=a\,O=Another,O=Amazon", "Amazon"),
    ("C=US + O=Amazon, CN=M", "Amazon"),
    ("o=Amazon", "Amazon"),
    ("CN=nobody", None),
    ("O=", None),
    ('O="open', None),
    ("", None),
    ("an issuer that cannot be read", None),
]


def past(**fields: Any) -> PastIssuance:
    told: dict[str, Any] = {
        "names": ("example.com",),
        "issuer": "",
        "not_before": START,
        "not_after": START + timedelta(days=90),
        "source": "test",
    }
    return PastIssuance(**(told | fields))


@pytest.mark.parametrize(("text", "organisation"), NAMES, ids=range(len(NAMES)))
def test_the_organisation_in_a_name(text: str, organisation: str | None) -> None:
    """Both ways to write a name, and no value can pretend to be another attribute."""
    assert organisation_in(text) == organisation


@given(st.text(alphabet='O=",+\\ a', max_size=60) | st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    """Foreign text gives an organisation or none, and never an error."""
    found = organisation_in(text)
    assert found is None or found


@pytest.mark.parametrize(
    ("organisation", "owner"),
    [
        ("Let's Encrypt", "Let's Encrypt"),
        ("DigiCert Inc", "DigiCert"),
        ("Sectigo Limited", "Sectigo"),
        ("COMODO CA Limited", "Sectigo"),
        ("GoDaddy.com\\, Inc.", "GoDaddy"),
        ("Google Trust Services LLC", "Google Trust Services"),
    ],
)
def test_an_organisation_is_an_owner(organisation: str, owner: str) -> None:
    """The legal form of a company is no part of its name; the match says that it is a name."""
    match = issuer_of_past(past(issuer=f"CN=x,O={organisation},C=US"), load_issuers())
    assert match is not None
    assert [each.name for each in match.owners] == [owner]
    assert match.how is How.BY_NAME


def test_a_name_that_only_begins_like_an_owner() -> None:
    """No more is cut from a name than a legal form."""
    assert issuer_of_past(past(issuer="O=Amazon Forest Trust"), load_issuers()) is None


def test_the_key_outranks_the_name() -> None:
    """Who issued is told by the key that signed, whatever name is written."""
    ca = CA("Known CA")
    owners, keys = tables_knowing(ca)
    issuers = parse_issuers(owners, lambda: keys)
    match = issuer_of_past(
        past(issuer="O=DigiCert Inc", issuer_spki_sha256=ca.issuer_key_hash), issuers
    )
    assert match is not None
    assert match.how is How.BY_OWNER
    assert DOMAIN in match.domains


def test_the_certificate_tells_its_issuer() -> None:
    """With the octets at hand the encoded name is compared, and not its text."""
    ca = CA("Known CA")
    owners, keys = tables_knowing(ca)
    issued = ca.issue(["example.com"])
    match = issuer_of_past(
        past(der=issued.certificate_chain[0]), parse_issuers(owners, lambda: keys)
    )
    assert match is not None
    assert match.how is How.BY_NAME


def test_the_domains_that_a_source_lists() -> None:
    """Domains of the issuer are better than its name, and need no owner."""
    told = past(issuer="O=DigiCert Inc", issuer_domains=("Tiny-CA.example", "", "tiny-ca.example."))
    match = issuer_of_past(told, load_issuers())
    assert match is not None
    assert match.domains == {"tiny-ca.example"}
    assert match.how is How.BY_KEY
    assert match.owners == ()


def test_damage_costs_the_certificate_only() -> None:
    """Octets that are no certificate leave the name."""
    match = issuer_of_past(past(der=b"\x30\x03abc", issuer="O=Amazon"), load_issuers())
    assert match is not None
    assert match.how is How.BY_NAME
