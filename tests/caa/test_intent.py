"""From intent to records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden import findings
from pinwarden.caa.intent import Grant, Intent, generate_records, normal_issuer
from pinwarden.caa.issuers.map import load_issuers
from pinwarden.caa.lint.sets import lint_records
from pinwarden.caa.lint.setting import Setting
from pinwarden.caa.parameters import METHODS
from pinwarden.caa.presentation import to_presentation
from pinwarden.caa.value import parse_issue_value
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.findings import Severity

AT = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/"


def lines(**meant: Any) -> list[str]:
    intent = Intent(name="example.com", **meant)
    return [to_presentation(record) for record in generate_records(intent)]


def test_wildcards_are_always_said() -> None:
    """Without a word on wildcards the same CAs may issue them, and a record says so."""
    assert lines(issuers=(Grant(domain="LetsEncrypt.org"), Grant(domain="pki.goog"))) == [
        '0 issue "letsencrypt.org"',
        '0 issue "pki.goog"',
        '0 issuewild "letsencrypt.org"',
        '0 issuewild "pki.goog"',
    ]


def test_nobody_is_a_semicolon() -> None:
    """An empty tuple forbids, for each kind of certificate by its own tag."""
    assert lines(smime=(), vmc=()) == [
        '0 issue ";"',
        '0 issuewild ";"',
        '0 issuemail ";"',
        '0 issuevmc ";"',
    ]


def test_any_ca_but_no_wildcards() -> None:
    """Any CA for plain names is no issue record, while issuewild forbids."""
    assert lines(issuers=None, wildcard=()) == ['0 issuewild ";"']


def test_bindings_have_no_blanks_and_no_final_semicolon() -> None:
    """Each account is a record of its own, each with all methods (RFC 8657 section 4)."""
    grant = Grant(
        domain="letsencrypt.org",
        account_uris=(f"{ACCOUNT}1", f"{ACCOUNT}2"),
        methods=("dns-01", "http-01"),
    )
    bound = f"letsencrypt.org;accounturi={ACCOUNT}%d;validationmethods=dns-01,http-01"
    assert lines(issuers=(grant,), wildcard=()) == [
        f'0 issue "{bound % 1}"',
        f'0 issue "{bound % 2}"',
        '0 issuewild ";"',
    ]


def test_the_rest_comes_after() -> None:
    """Mail, marks, reports and contacts, flags 0 even where issue is critical."""
    assert lines(
        issuers=(Grant(domain="ca.example"),),
        wildcard=(),
        smime=("mail.example",),
        vmc=("mark.example",),
        reports=("mailto:a@example.com", "https://example.com/iodef"),
        contact_emails=("admin@example.com",),
        contact_phones=("+1-555-0100",),
        critical=True,
    ) == [
        '128 issue "ca.example"',
        '128 issuewild ";"',
        '0 issuemail "mail.example"',
        '0 issuevmc "mark.example"',
        '0 iodef "mailto:a@example.com"',
        '0 iodef "https://example.com/iodef"',
        '0 contactemail "admin@example.com"',
        '0 contactphone "+1-555-0100"',
    ]


@pytest.mark.parametrize(
    "meant",
    [
        {"issuers": (Grant(domain="Let's Encrypt"),)},
        {"issuers": (Grant(domain=""),)},
        {"issuers": (Grant(domain="ca.example; x=1"),)},
        {"issuers": (Grant(domain="zertifikat.würzburg.example"),)},
        {"issuers": (Grant(domain="ca.example", methods=("dns_01",)),)},
        {"issuers": (Grant(domain="ca.example", methods=("dns-01,",)),)},
        {"issuers": (Grant(domain="ca.example", account_uris=("12345",)),)},
        {"issuers": (Grant(domain="ca.example", account_uris=("https://ca.example/a;b",)),)},
        {"issuers": (Grant(domain="ca.example", account_uris=("https://ca.example/a b",)),)},
        {"smime": ("not a domain",)},
        {"reports": ("security@example.com",)},
        {"contact_emails": ("nobody",)},
        {"contact_phones": ("call me",)},
    ],
)
def test_what_no_record_can_hold_is_refused(meant: dict[str, Any]) -> None:
    """A value that CAs would read as nobody is never written."""
    with pytest.raises(MalformedError):
        lines(**meant)


def test_nothing_meant_is_no_record() -> None:
    """Any CA for everything is what no record says."""
    with pytest.raises(ConfigError, match="nothing is restricted"):
        lines(issuers=None)


domains = st.sampled_from(["letsencrypt.org", "pki.goog", "digicert.com", "sectigo.com"])
accounts = st.integers(1, 10**9).map(lambda number: f"{ACCOUNT}{number}")
grants = st.builds(
    Grant,
    domain=domains,
    account_uris=st.lists(accounts, max_size=2).map(tuple),
    methods=st.lists(st.sampled_from(["dns-01", "dns-account-01"]), max_size=2).map(tuple),
)
some = st.lists(grants, max_size=3, unique_by=lambda grant: grant.domain).map(tuple)
intents = st.builds(
    Intent,
    name=st.just("example.com"),
    issuers=some,
    wildcard=st.none() | some,
    smime=st.none() | st.lists(domains, max_size=2).map(tuple),
    vmc=st.none() | st.lists(domains, max_size=2).map(tuple),
    reports=st.lists(st.just("mailto:a@example.com"), max_size=1).map(tuple),
)
OUR_DOING = {
    findings.CAA_MALFORMED_VALUE,
    findings.CAA_QUOTED_VALUE,
    findings.CAA_BLANKS,
    findings.CAA_DUPLICATE_RECORD,
    findings.CAA_DUPLICATE_PARAMETER,
    findings.CAA_NO_ISSUEWILD,
    findings.CAA_ISSUEWILD_ONLY,
    findings.CAA_EMPTY_BESIDE_ISSUER,
    findings.CAA_RESERVED_FLAGS,
    findings.CAA_METHODS_EMPTY,
    findings.CAA_METHODS_INVALID,
    findings.CAA_UNKNOWN_CA,
    findings.CAA_UPPER_CASE,
}


@given(intents)
def test_records_pass_our_own_reading(intent: Intent) -> None:
    """Whatever is meant, the values follow the grammar and the lint has no fault to find."""
    made = generate_records(intent)
    for record in made:
        if record.property != "iodef":
            parse_issue_value(record.value)
        assert b" " not in record.value
    found = lint_records(made, (), Setting(name="example.com", issuers=load_issuers(), at=AT))
    assert {each.kind for each in found} & OUR_DOING == set()
    bound = [*(intent.issuers or ()), *(intent.wildcard or ())]
    # An account of another CA, or a free record beside a bound one, is as the user said.
    if not any(grant.account_uris or grant.methods for grant in bound):
        assert {each.severity for each in found} <= {Severity.INFO, Severity.LOW, Severity.MEDIUM}


@given(st.text(max_size=60))
def test_any_text_is_an_issuer_or_refused(text: str) -> None:
    """What comes out is in lower case and names somebody; everything else is our error."""
    try:
        issuer = normal_issuer(text)
    except MalformedError:
        return
    assert issuer == issuer.lower()
    assert parse_issue_value(issuer.encode()).issuer == issuer


def test_every_registered_method_can_be_written() -> None:
    """No label of the registry is refused."""
    for label in METHODS:
        assert (
            f"validationmethods={label}"
            in lines(issuers=(Grant(domain="ca.example", methods=(str(label),)),))[0]
        )
