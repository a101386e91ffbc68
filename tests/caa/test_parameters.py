"""The parameters of RFC 8657: which account URIs and method lists are any, and what labels mean."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.parameters import (
    BR_METHODS,
    METHODS,
    equivalents,
    label_problem,
    parse_account_uri,
    parse_validation_methods,
)
from pinwarden.errors import MalformedError


@pytest.mark.parametrize(
    "uri",
    [
        "https://ca1.example.net/account/1234",
        "HTTPS://CA.example/acct/1?x=y#z",
        "https://user@ca.example:8443/",
        "https://ca.example",
        "http://[2001:db8::1]:80/x",
        "http://[v1.a:b]/x",
        "http://192.0.2.1/",
        "acct:ops@ca1.example.net",
        "urn:ca:account:7",
        "data:",
        "a+b.c-d://",
        "x://%41%7e/~-._!$&'()*+,=:@",
        "tag:ca.example,2026:7",
        "file:///x",
    ],
)
def test_uris_with_a_scheme_are_account_uris(uri: str) -> None:
    """RFC 8657 section 3.2 leaves the scheme to the CA."""
    assert parse_account_uri(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "1234",
        "/account/1234",
        "//ca.example/account/1234",
        "ca.example/account/1234",
        ":x",
        "1https://ca.example/",
        "ht_tp://ca.example/",
        "https:",
        "https://",
        "https:///path",
        "http://:80/",
        "https://ca.example/a b",
        "https://ca.example/a|b",
        "https://ca.example/<1>",
        'https://ca.example/"1"',
        "https://ca.example/%4",
        "https://ca.example/%zz",
        "https://ca.example/a#b#c",
        "https://ca.example/[1]",
        "https://ca.example:80a/",
        "https://ca.ex%ample/",
        "https://a@b@c/",
        "https://[::g]/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[fe80::1%25eth0]/",
        "https://ca.example/\u00e9",
        "https://ca.example/\n",
        "https://ca.example/\x1b[31m",
        "https://ca.example\\x",
    ],
)
def test_other_text_is_no_account_uri(uri: str) -> None:
    with pytest.raises(MalformedError, match="account URI") as caught:
        parse_account_uri(uri)
    assert str(caught.value).isprintable()


# Appendix B of RFC 3986 takes any text apart; its characters are those of appendix A.
_APPENDIX_B = re.compile(r"(([^:/?#]+):)(//([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?", re.DOTALL)
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")


@given(st.lists(st.sampled_from([*"aZ1-._~:/?#[]@!$&'()*+,;=%<> ", "%41", "//"])).map("".join))
def test_account_uris_come_apart_as_rfc_3986_says(text: str) -> None:
    try:
        parse_account_uri(text)
    except MalformedError:
        return
    assert _APPENDIX_B.fullmatch(text)
    assert _CHARACTERS.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [
        "x://" + "a" * 100_000 + "/^",
        "x:" + "a" * 100_000 + "^",
        "x:" + "%41" * 30_000 + "^",
        "x://" + "@" * 100_000,
        "x?" * 50_000,
        "http://" + "[" * 100_000,
    ],
)
def test_long_hostile_uris_are_answered(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_account_uri(text)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", ()),
        ("dns-01", ("dns-01",)),
        ("dns-01,http-01", ("dns-01", "http-01")),
        ("ca-foo,-,9", ("ca-foo", "-", "9")),
        ("dns-01,dns-01", ("dns-01", "dns-01")),
        ("DNS-01", ("DNS-01",)),
    ],
)
def test_method_lists(text: str, labels: tuple[str, ...]) -> None:
    """RFC 8657 section 4: zero or more labels between commas."""
    assert parse_validation_methods(text) == labels


@pytest.mark.parametrize(
    "text", [",", "dns-01,", ",dns-01", "dns-01,,http-01", "dns_01", "dns-01 ", "dns-01, x", "é"]
)
def test_other_text_is_no_method_list(text: str) -> None:
    with pytest.raises(MalformedError, match="method list"):
        parse_validation_methods(text)


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("http-01", ""),
        ("dns-account-01", ""),
        ("dns-persist-01", ""),
        ("email-reply-00", ""),
        ("ca-foo", ""),
        ("ca-tbr-7", ""),
        ("ca-tbr-22", ""),
        ("tls-sni-01", "withdrawn"),
        ("tls-sni-02", "withdrawn"),
        ("DNS-01", "is written dns-01"),
        ("CA-TBR-7", "is written ca-tbr-7"),
        ("dns-1", "neither a registered"),
        ("DNS-1", "neither a registered"),
        ("dns", "neither a registered"),
        ("ca-", "neither a registered"),
        ("ca", "neither a registered"),
        ("ca-tbr-0", "1 to 22"),
        ("ca-tbr-23", "1 to 22"),
        ("ca-tbr-07", "1 to 22"),
        ("ca-tbr-", "1 to 22"),
        ("ca-tbr-http", "1 to 22"),
        ("ca-tbr-" + "9" * 5000, "1 to 22"),
        ("ca-tbr-1", "no longer allow"),
        ("ca-tbr-10", "no longer allow"),
    ],
)
def test_what_is_wrong_with_a_label(label: str, problem: str) -> None:
    found = label_problem(label)
    assert problem in found
    assert bool(found) is bool(problem)


@pytest.mark.parametrize(
    ("label", "same"),
    [
        ("dns-01", "ca-tbr-7"),
        ("http-01", "ca-tbr-19"),
        ("tls-alpn-01", "ca-tbr-20"),
        ("dns-account-01", "ca-tbr-21"),
        ("dns-persist-01", "ca-tbr-22"),
    ],
)
def test_methods_with_two_labels(label: str, same: str) -> None:
    """TLS Baseline Requirements section 4.2.2.1.2, since ballot SC-098v2."""
    assert equivalents(label) == equivalents(same) == equivalents(label.upper()) == {label, same}
    assert label in METHODS
    assert int(same.removeprefix("ca-tbr-")) in BR_METHODS


def test_other_labels_stand_alone() -> None:
    assert equivalents("ca-tbr-4") == {"ca-tbr-4"}
    assert equivalents("CA-foo") == {"ca-foo"}
