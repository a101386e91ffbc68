"""Expect-CT: one list over all fields of an answer; where Chromium read it otherwise, and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.headers.expect_ct import ExpectCT, parse_expect_ct
from pinwarden.headers.fault import FaultKind, HeaderError


def faults(*values: str) -> list[FaultKind]:
    """What is wrong with the fields."""
    with pytest.raises(HeaderError) as raised:
        parse_expect_ct(values)
    assert str(raised.value).isprintable()
    return [each.kind for each in raised.value.faults]


def test_the_examples_of_the_rfc() -> None:
    """RFC 9163 section 2.1.4, of which the second spreads over two fields."""
    uri = "https://foo.example/report"
    assert parse_expect_ct(["max-age=86400, enforce"]) == ExpectCT(
        max_age=86400, enforce=True, report_uri=None
    )
    spread = parse_expect_ct(["max-age=86400,enforce", f'report-uri="{uri}"'])
    assert spread == ExpectCT(max_age=86400, enforce=True, report_uri=uri)
    assert parse_expect_ct([f'max-age=86400,report-uri="{uri}"']) == ExpectCT(
        max_age=86400, enforce=False, report_uri=uri
    )


def test_max_age_may_stand_in_any_field() -> None:
    """Section 2.1.3: one of the fields has it; an empty field beside others adds nothing."""
    assert parse_expect_ct(["enforce", "", "max-age=1"]).max_age == 1
    assert faults("enforce", "enforce=") == [FaultKind.MALFORMED]
    assert faults("", "") == faults("") == faults(" , ,") == [FaultKind.MALFORMED]


@pytest.mark.parametrize("uri", ["http://a.example/r", "HTTP://a.example/", "urn:x", "ftp://a/"])
def test_reports_go_to_https_only(uri: str) -> None:
    """Section 2.1.1: any other address is ignored, and the rest of the field is not."""
    found = parse_expect_ct([f'max-age=1, report-uri="{uri}"'])
    assert (found.max_age, found.report_uri, found.ignored_report_uri) == (1, None, uri)


def test_the_scheme_has_no_case() -> None:
    """RFC 3986 section 3.1."""
    uri = "HTTPS://a.example/r?a,b;c"
    assert parse_expect_ct([f'max-age=1, report-uri="{uri}"']).report_uri == uri


def test_what_clients_skip() -> None:
    """Rule 5 of section 2.1, and with commas inside quotes."""
    found = parse_expect_ct(['max-age=1, includeSubDomains, x="a, b", preload'])
    assert found.unknown == ("includesubdomains", "x", "preload")


@pytest.mark.parametrize(
    "values",
    [
        ("max-age=1, max-age=1",),
        ("enforce, max-age=1, ENFORCE",),
        ("max-age=1, x, x",),
        ("max-age=1", "max-age=1"),
        ("max-age=1, enforce", "enforce"),
    ],
)
def test_a_directive_that_stands_twice(values: tuple[str, ...]) -> None:
    """Rule 2, over all the fields, since they are one list (RFC 9110 section 5.3)."""
    assert faults(*values) == [FaultKind.DUPLICATE_DIRECTIVE]


@pytest.mark.parametrize(
    "value",
    [
        *("max-age", "max-age=", "max-age=-5", "max-age=a", "max-age=1.0", 'max-age=""', "a=b=c"),
        *("max-age=1; enforce", "max-age=1 enforce", "max-age = 1", "max-age=1, enforce=true"),
        *(
            "max-age=1, report-uri",
            'max-age=1, report-uri="/r"',
            "max-age=1, report-uri=https://a/",
        ),
        *('max-age=1, report-uri=""', 'max-age=1, report-uri="https://a', "max-age=1, é"),
    ],
    ids=ascii,
)
def test_malformed(value: str) -> None:
    """Clients ignore all of it."""
    assert faults(value) == [FaultKind.MALFORMED]


def test_a_quote_left_open_does_not_reach_the_next_field() -> None:
    """Nor does it swallow it."""
    assert faults('max-age=1, x="', '"') == [FaultKind.MALFORMED]


@given(st.lists(st.text(), min_size=1))
def test_anything(values: list[str]) -> None:
    """A policy, or faults in printable words."""
    words = ""
    try:
        parse_expect_ct(values)
    except HeaderError as error:
        words = str(error)
    assert words.isprintable()


# Chromium let a blank stand at the equals sign, which RFC 9163 (its section 2.1 and RFC 9110
# section 5.6.1) does not, and read an address without quotes; the RFC decides.
_CHROMIUM_ONLY = ("    = ", '=     "', "report-uri=https://")


def test_as_chromium_read_it(corpus: Path) -> None:
    """Chromium's own cases: what it refused is refused, and the rest read alike but for four."""
    file = corpus / "pinning" / "expect_ct_header_vectors.json"
    cases = json.loads(file.read_text(encoding="utf-8"))
    for value in cases["invalid"]:
        assert faults(value), value
    greatest = cases["clamp"]["kMaxExpectCTAgeSecs"]
    lenient = 0
    for case in cases["valid"]:
        value = case["header"]
        if any(each in value for each in _CHROMIUM_ONLY):
            assert faults(value) == [FaultKind.MALFORMED], value
            lenient += 1
            continue
        found = parse_expect_ct([value])
        # Chromium kept no policy longer than thirty days; the RFC lets it.
        expected = greatest if case["max_age"] == "kMaxExpectCTAgeSecs" else case["max_age"]
        assert min(found.max_age, greatest) == expected, value
        assert (found.enforce, found.report_uri) == (case["enforce"], case["report_uri"]), value
    assert lenient == 4
