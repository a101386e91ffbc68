"""What is said of the headers of an answer, beyond the vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.findings import REGISTER, Severity, where_of
from pinwarden.headers.judge import judge_headers
from pinwarden.headers.report import HeaderReport, finding_name
from pinwarden.pinning.pin import Pin

A, B, C = (Pin.of_spki(each) for each in (b"a", b"b", b"c"))
GOOD = f"max-age=3000; {A.hpkp}; {B.hpkp}"
CHAIN = [A.base64, C.base64]
PKP, ONLY, EXPECT_CT = "Public-Key-Pins", "Public-Key-Pins-Report-Only", "Expect-CT"


def judged(
    *fields: tuple[str, str],
    scheme: str | None = "https",
    host: str = "www.example.com",
    chain: list[str] | None = CHAIN,
    qualified: bool | None = True,
    html: str = "",
) -> HeaderReport:
    """A report over these fields."""
    return judge_headers(
        fields, scheme=scheme, host=host, chain_pins=chain, ct_qualified=qualified, html=html
    )


def names(report: HeaderReport) -> set[str]:
    """The findings by their short names."""
    return {finding_name(each) for each in report.findings}


def noted(report: HeaderReport) -> bool | None:
    """Whether a client would have kept the pins."""
    assert report.public_key_pins is not None
    return report.public_key_pins.noted


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "[fe80::1%25eth0]", "::1"]
)
def test_addresses_are_never_noted(host: str) -> None:
    """RFC 7469 section 2.3.3, and nothing is said of backups then."""
    report = judged((PKP, GOOD), (EXPECT_CT, "max-age=1"), host=host)
    assert noted(report) is False
    assert report.expect_ct is not None
    assert report.expect_ct.noted is False
    assert names(report) == {
        *("hpkp-present", "hpkp-ip-address", "expect-ct-present", "expect-ct-ip-address")
    }


@pytest.mark.parametrize("host", ["1.example", "192.0.2.1.example", "", "abcd"])
def test_names_are(host: str) -> None:
    """A name that begins like an address is one all the same."""
    assert noted(judged((PKP, GOOD), host=host)) is True


def test_the_first_of_two_good_fields_counts() -> None:
    """Section 2.3.1."""
    report = judged((PKP, GOOD), (PKP, f"max-age=1; {C.hpkp}"))
    assert report.public_key_pins is not None
    assert report.public_key_pins.policy is not None
    assert report.public_key_pins.policy.max_age == 3000
    assert names(report) == {"hpkp-present", "hpkp-multiple-headers"}


def test_both_kinds_are_judged_each_alone() -> None:
    """Section 2.3.2: neither stands in for the other."""
    report = judged((ONLY, f"{A.hpkp}; {B.hpkp}"), (PKP, GOOD))
    assert noted(report) is True
    assert report.public_key_pins_report_only is not None
    assert report.public_key_pins_report_only.noted is False
    assert names(report) == {
        *("hpkp-present", "hpkp-report-only-present", "hpkp-report-only-without-report-uri")
    }


@pytest.mark.parametrize(
    ("value", "expected", "finding"),
    [
        (GOOD, None, None),
        (f"max-age=0; {A.hpkp}; {B.hpkp}", False, "hpkp-max-age-zero"),
        (f"max-age=1; {A.hpkp}", False, "hpkp-no-backup-pin"),
        (f"max-age=1; {A.hpkp}; {A.hpkp}", False, "hpkp-no-backup-pin"),
        ("max-age=1", False, "hpkp-no-pins"),
        ('max-age=1; pin-sha1="AAAA"', False, "hpkp-no-pins"),
        ("max-age=1;", False, "hpkp-malformed"),
    ],
)
def test_without_a_chain(value: str, expected: bool | None, finding: str | None) -> None:
    """Unknown is no pass: but what no chain could change is known."""
    report = judged((PKP, value), chain=None)
    assert noted(report) is expected
    assert names(report) - {"hpkp-present", "hpkp-unknown-directive"} == (
        {finding} if finding else set()
    )


def test_without_a_scheme() -> None:
    """A saved answer does not say how it came."""
    report = judged((PKP, GOOD), (EXPECT_CT, "max-age=1"), scheme=None)
    assert noted(report) is None
    assert report.expect_ct is not None
    assert report.expect_ct.noted is None
    assert names(report) == {"hpkp-present", "expect-ct-present"}


@pytest.mark.parametrize(("qualified", "expected"), [(True, True), (False, False), (None, None)])
def test_expect_ct_hangs_on_the_certificate(qualified: bool | None, expected: bool | None) -> None:
    """RFC 9163 section 2.3.2; where nobody looked it is not known."""
    report = judged((EXPECT_CT, "max-age=1, x"), qualified=qualified)
    assert report.expect_ct is not None
    assert report.expect_ct.noted is expected
    assert ("expect-ct-not-ct-qualified" in names(report)) is (qualified is False)
    assert "expect-ct-unknown-directive" in names(report)


def test_no_pin_of_the_chain() -> None:
    """In a field that reports, too: every connection would be reported."""
    other = f"max-age=1; {B.hpkp}; {Pin.of_spki(b'd').hpkp}"
    assert names(judged((PKP, other))) == {"hpkp-present", "hpkp-no-match"}
    assert "hpkp-no-match" in names(judged((ONLY, other)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([(PKP, f'{GOOD}; report-uri="http://r.example/x"')], "go to 'http://r.example/x'"),
        ([(ONLY, f'{GOOD}; report-uri="http://r.example/x"')], "go to 'http://r.example/x'"),
        ([(EXPECT_CT, 'max-age=1, report-uri="https://r.example/"')], "go to 'https://r.ex"),
        ([(PKP, f"max-age=5184000; {A.hpkp}; {B.hpkp}")], "for 60 days after"),
        ([(PKP, f"max-age=86400; {A.hpkp}; {B.hpkp}")], "for a day after"),
        ([(PKP, f"max-age=10; {A.hpkp}; {B.hpkp}")], "for 10 s after"),
        ([(PKP, f"max-age={'9' * 90}; {A.hpkp}; {B.hpkp}")], "60 days or more"),
        ([(PKP, "x")], "is obsolete"),
        ([(EXPECT_CT, "x")], "since version 107"),
    ],
)
def test_what_the_main_finding_says(fields: list[tuple[str, str]], words: str) -> None:
    """Obsolete, since when, to whom reports go, and how long old clients remember."""
    first = judged(*fields).findings[0]
    assert words in first.message
    assert "obsolete" in first.message
    assert "remove it" in first.message
    assert first.severity is Severity.MEDIUM
    assert where_of(first) == fields[0][0]


def test_an_endpoint_that_is_not_https_is_named() -> None:
    """RFC 9163 section 2.1.1: no client ever sent it anything, and it stands there all the same."""
    report = judged((EXPECT_CT, 'max-age=1, report-uri="http://r.example/"'))
    (found,) = (each for each in report.findings if "http" in each.message)
    assert finding_name(found) == "expect-ct-report-uri-not-https"
    assert "'http://r.example/'" in found.message


@pytest.mark.parametrize("chain", [CHAIN, None], ids=["chain", "no-chain"])
def test_a_bad_pin_is_no_backup(chain: list[str] | None) -> None:
    """RFC 7469 section 2.4: what is no SHA-256 is no pin, and stands in for none."""
    report = judged((PKP, f'max-age=1; {A.hpkp}; pin-sha256="AAAA"'), chain=chain)
    assert noted(report) is False
    assert names(report) == {"hpkp-present", "hpkp-bad-pin", "hpkp-no-backup-pin"}


def test_a_page() -> None:
    """Elements in it are findings of their own, with their lines."""
    html = "<meta http-equiv=expect-ct content=x>\n<meta http-equiv=public-key-pins content=x>"
    report = judged(html=html)
    assert report.to_json()["public_key_pins"] is None
    found = {finding_name(each): where_of(each) for each in report.findings}
    assert found == {
        "expect-ct-meta-ignored": "meta element in line 1",
        "hpkp-meta-ignored": "meta element in line 2",
    }


def test_nothing_is_ever_a_bonus() -> None:
    """The most perfect header is still one to be removed; without any there is no finding."""
    assert judged(("Strict-Transport-Security", "max-age=1")).findings == ()
    perfect = judged((PKP, GOOD), (EXPECT_CT, "max-age=1, enforce"))
    assert [each.severity for each in perfect.findings] == [Severity.MEDIUM] * 2


@given(
    st.lists(
        st.tuples(st.sampled_from([PKP, ONLY, EXPECT_CT, PKP.lower(), "X"]), st.text()), max_size=4
    ),
    st.sampled_from(["https", "http", None]),
    st.text(),
)
def test_any_answer(fields: list[tuple[str, str]], scheme: str | None, host: str) -> None:
    """Every header that is there is told of, in bounded, printable words."""
    report = judged(*fields, scheme=scheme, host=host)
    sent = {name.lower() for name, _ in fields}
    assert (report.public_key_pins is not None) == (PKP.lower() in sent)
    assert (report.expect_ct is not None) == (EXPECT_CT.lower() in sent)
    for each in report.findings:
        assert each.message.isprintable()
        assert len(each.message) < 1000
        assert REGISTER[each.id] is each.kind
