"""What the lint says about one record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.lint.values import lint_record
from pinwarden.caa.record import CAARecord
from pinwarden.findings import Severity, where_of
from support.caa_lint import ACCOUNT, AFTER_SC098, SETTING, STRICT, ids, records

CLEAN = (
    *STRICT,
    '0 issue "letsencrypt.org"',
    '0 issue "digicert.com"',
    '0 issue ";"',
    '0 issue ""',
    '0 issue "digicert.com;cansignhttpexchanges=yes"',
    '0 issue "letsencrypt.org;validationmethods=dns-01,ca-tbr-7"',
    '0 issue "sectigo.com;validationmethods=ca-sectigo-1"',
    '0 issue "digicert.com;accounturi=acct:12345@digicert.com"',
    '0 issuewild "letsencrypt.org;validationmethods=http-01,dns-01"',
    '0 iodef "https://example.com/report"',
)


def test_a_critical_tag_that_nobody_knows_is_not_said_to_restrict_nothing() -> None:
    """It forbids everything, which another finding says."""
    (record,) = records('128 tbs "x"')
    told = " ".join(each.message for each in lint_record(record, SETTING))
    assert "must refuse every certificate" in told
    assert "restricts nothing" not in told


@pytest.mark.parametrize("text", CLEAN)
def test_a_good_record_is_left_alone(text: str) -> None:
    """No false alarm, not even a low one."""
    (record,) = records(text)
    assert ids(lint_record(record, AFTER_SC098)) == set()
    assert ids(lint_record(record, SETTING)) == set()


def test_every_name_of_every_ca_is_a_good_one() -> None:
    """No domain that a CA lists as its own is called unknown, or anything worse."""
    for domain, owner in SETTING.issuers.domains.items():
        if domain not in owner.former:
            found = lint_record(CAARecord(0, b"issue", domain.encode()), SETTING)
            assert ids(found) == set(), domain


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ('0 issue "letsencrypt.org.;"', "MALFORMED-VALUE", "final dot"),
        ('0 issue "letsencrypt.org; accounturi=https://x.example/1;"', "MALFORMED-VALUE", "end"),
        ('0 issue "letsencrypt.org, digicert.com"', "MALFORMED-VALUE", "one record for each"),
        ('0 issue "letsencrypt.org accounturi=x"', "MALFORMED-VALUE", "semicolon"),
        ('0 issue "lets_encrypt.org"', "MALFORMED-VALUE", "underscore"),
        ('0 issue "0 issue letsencrypt.org"', "MALFORMED-VALUE", "repeats the flags"),
        ('0 issuewild "%%%"', "MALFORMED-VALUE", "names no CA"),
        ('0 issuemail "l\\195\\169tsencrypt.org"', "MALFORMED-VALUE", "xn--"),
        ('0 issue "\\"letsencrypt.org\\""', "QUOTED-VALUE", "inner quotes"),
        ("0 issue \"'letsencrypt.org'\"", "QUOTED-VALUE", "quotes"),
        ('0 issue "\\226\\128\\156letsencrypt.org\\226\\128\\157"', "QUOTED-VALUE", "typographic"),
        ('0 issue "letsecrypt.org"', "UNKNOWN-CA", "did you mean letsencrypt.org"),
        ('0 issue "www.digicert.com.example"', "UNKNOWN-CA", "no CA is known"),
        ('0 issue "none"', "UNKNOWN-CA", "by ';' alone"),
        ('0 issue "letsencrypt.org;"', "PARAMETERS-LOST", "semicolon"),
        ('0 issue ";accounturi=https://x.example/1"', "PARAMETERS-ALONE", "nobody"),
        ('0 issuewld ";"', "UNKNOWN-TAG", "did you mean issuewild"),
        ('0 tbs "Unknown"', "UNKNOWN-TAG", "restricts nothing"),
        ('0 policy "x"', "RESERVED-TAG", "reserved"),
        ('1 issue "letsencrypt.org"', "RESERVED-FLAGS", "Let's Encrypt"),
        ('64 issue "letsencrypt.org"', "RESERVED-FLAGS", "only 0 and 128"),
        ('0 iodef "security@example.com"', "IODEF-INVALID", "mailto"),
        ('0 contactphone "555 0100"', "CONTACT-INVALID", "phone"),
        ('0 contactemail "a@example.com b@example.com"', "CONTACT-INVALID", "address"),
        ('0 issue "letsencrypt.org;accounturi=12345"', "ACCOUNT-INVALID", "URI"),
        (
            '0 issue "letsencrypt.org;accounturi=https://acme.ssl.com/acct/1"',
            "ACCOUNT-INVALID",
            "ssl.com, not at letsencrypt.org",
        ),
        (
            '0 issue "letsencrypt.org;accounturi=https://example.com/acct/1"',
            "ACCOUNT-INVALID",
            "acme/acct/12345",
        ),
        (
            f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"'.replace(
                "acme-v02", "acme-staging-v02"
            ),
            "ACCOUNT-STAGING",
            "test service",
        ),
        (
            '0 issue "pki.goog;accounturi=https://dv.acme-v02.test-api.pki.goog/account/x"',
            "ACCOUNT-STAGING",
            "test service",
        ),
        ('0 issue "letsencrypt.org;validationmethods=dns-01,"', "METHODS-INVALID", "comma"),
        ('0 issue "letsencrypt.org;validationmethods="', "METHODS-EMPTY", "no method"),
        ('0 issue "letsencrypt.org;validationmethods=dns01"', "METHOD-UNKNOWN", "mean dns-01"),
        ('0 issue "letsencrypt.org;validationmethods=tls-sni-01"', "METHOD-UNKNOWN", "withdrawn"),
        ('0 issue "letsencrypt.org;validationmethods=ca-tbr-99"', "METHOD-UNKNOWN", "1 to"),
        ('0 issue "letsencrypt.org;validationmethods=email-reply-00"', "METHOD-UNKNOWN", "other"),
        (
            '0 issuewild "letsencrypt.org;validationmethods=http-01,tls-alpn-01"',
            "METHOD-NO-WILDCARD",
            "wildcard",
        ),
        (
            '0 issue "letsencrypt.org;validationmethods=dns-01;validationmethods=dns-01"',
            "DUPLICATE-PARAMETER",
            "more than once",
        ),
        (
            '0 issue "digicert.com;account-uri=https://x.example/1"',
            "UNKNOWN-PARAMETER",
            "did you mean accounturi",
        ),
    ],
)
def test_traps(text: str, expected: str, words: str) -> None:
    """Each trap is found, alone among what is serious, and the message helps."""
    (record,) = records(text)
    found = list(lint_record(record, SETTING))
    assert ids(found, Severity.MEDIUM) == {expected}
    assert any(words in each.message for each in found if each.id.endswith(expected))
    assert all(where_of(each) for each in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('0 ISSUE "letsencrypt.org"', {"UPPER-CASE"}),
        ('0 issue "DigiCert.com"', {"UPPER-CASE"}),
        ('0 issue "letsencrypt.org;ValidationMethods=dns-01"', {"UPPER-CASE"}),
        ('0 issue "letsencrypt.org;validationmethods=DNS-01"', {"UPPER-CASE"}),
        ('0 issue "letsencrypt.org; validationmethods=dns-01"', {"BLANKS"}),
        ('0 issue "letsencrypt.org "', {"BLANKS"}),
        ('0 issue "digicert.com;validationmethods=ca-tbr-7"', {"METHOD-RENAMED"}),
        ('0 iodef "http://example.com/"', {"IODEF-UNSUPPORTED"}),
        ('0 contactemail "security@example.com"', {"CONTACT-SUNSET"}),
        ('0 contactphone "+15550100"', {"CONTACT-SUNSET"}),
    ],
)
def test_small_matters_stay_small(text: str, expected: set[str]) -> None:
    """What works, but not everywhere or not for long, is low and nothing more."""
    (record,) = records(text)
    found = list(lint_record(record, SETTING))
    assert ids(found) == expected
    assert ids(found, Severity.MEDIUM) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('128 issue "letsencrypt.org"', {"CRITICAL-NEEDLESS"}),
        ('128 contactemail "a@example.com"', {"CRITICAL-UNKNOWN", "CONTACT-SUNSET"}),
        ('128 issuemail ";"', {"CRITICAL-UNKNOWN"}),
        ('128 tbs "x"', {"CRITICAL-UNKNOWN", "UNKNOWN-TAG"}),
        ('130 tbs "x"', {"CRITICAL-UNKNOWN", "UNKNOWN-TAG", "RESERVED-FLAGS"}),
        ('1 tbs "x"', {"UNKNOWN-TAG", "RESERVED-FLAGS"}),
    ],
)
def test_critical(text: str, expected: set[str]) -> None:
    """Critical forbids what a CA need not know, and does nothing for what each knows."""
    (record,) = records(text)
    assert ids(lint_record(record, SETTING), Severity.INFO) == expected


def test_tag_of_other_octets() -> None:
    """A tag with a hyphen is said to be dangerous to some readers, critical or not."""
    record = CAARecord(128, b"issue-wild", b"letsencrypt.org")
    assert ids(lint_record(record, SETTING)) == {"ILLEGAL-TAG", "CRITICAL-UNKNOWN"}


def test_binding_is_not_mandatory_before_the_ballot() -> None:
    """It says so until the day, for CAs that are not known to honour it already."""
    bound = records('0 issue "digicert.com;validationmethods=dns-01"')[0]
    ours = records(STRICT[0])[0]
    assert ids(lint_record(bound, SETTING), Severity.INFO) == {"BINDING-NOT-MANDATORY"}
    assert ids(lint_record(bound, AFTER_SC098), Severity.INFO) == set()
    assert ids(lint_record(ours, SETTING), Severity.INFO) == set()


def test_sunset_is_told_as_past_when_it_is() -> None:
    """The tense follows the day."""
    (record,) = records('0 contactphone "+15550100"')
    later = replace(SETTING, at=datetime(2027, 3, 15, tzinfo=UTC))
    assert "ends on 2027-03-15" in next(lint_record(record, SETTING)).message
    assert "ended on 2027-03-15" in next(lint_record(record, later)).message


_TAGS = st.sampled_from(
    [b"issue", b"issuewild", b"issuemail", b"issuevmc", b"iodef", b"contactemail", b"x-\x1b"]
)
_VALUES = st.one_of(
    st.binary(max_size=80),
    st.text(";= \t,.\"'abc\x00\x1b-", max_size=60).map(str.encode),
    st.text(max_size=20).map(lambda text: f"letsencrypt.org;accounturi={text}".encode()),
    st.text("dns-01,caTBR ", max_size=20).map(
        lambda text: f"ca.example;validationmethods={text}".encode()
    ),
)


@given(record=st.builds(CAARecord, st.integers(0, 255), _TAGS | st.binary(min_size=1), _VALUES))
def test_whatever_a_record_holds(record: CAARecord) -> None:
    """No record makes the lint fail, and nothing foreign leaves it raw."""
    for each in lint_record(record, SETTING):
        assert each.message.isprintable()
        assert where_of(each).isprintable()
