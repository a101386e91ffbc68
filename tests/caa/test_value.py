"""The grammar of issue values (RFC 8659 section 4.2), against its ABNF written as an expression."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.value import IssueValue, Parameter, parse_issue_value, to_value
from pinwarden.errors import MalformedError

_WSP = rb"[ \t]*"
_NAME = rb"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_PARAMETER = _NAME + _WSP + rb"=" + _WSP + rb"[\x21-\x3a\x3c-\x7e]*"
_PARAMETERS = _PARAMETER + rb"(?:" + _WSP + rb";" + _WSP + _PARAMETER + rb")*"
_DOMAIN = _NAME + rb"(?:\." + _NAME + rb")*"
ABNF = re.compile(
    _WSP
    + rb"(?:" + _DOMAIN + _WSP + rb")?"
    + rb"(?:;" + _WSP + rb"(?:" + _PARAMETERS + _WSP + rb")?)?"
)  # fmt: skip

ISSUERS = st.from_regex(r"[A-Za-z0-9]{1,3}(-[A-Za-z0-9])?(\.[A-Za-z0-9]{1,3}){0,2}", fullmatch=True)
TAGS = st.from_regex(r"[A-Za-z0-9]{1,4}(-{1,2}[A-Za-z0-9]){0,2}", fullmatch=True)
CONTENTS = st.from_regex(r"[\x21-\x3a\x3c-\x7e]{0,8}", fullmatch=True)
PARAMETERS = st.lists(st.builds(Parameter, TAGS, CONTENTS), max_size=3).map(tuple)
VALUES = st.builds(IssueValue, st.none() | ISSUERS, PARAMETERS)


def accepts(value: bytes) -> bool:
    try:
        parse_issue_value(value)
    except MalformedError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "issuer", "parameters"),
    [
        (b"", None, ()),
        (b" \t", None, ()),
        (b";", None, ()),
        (b" ; ", None, ()),
        (b"ca1.example.net", "ca1.example.net", ()),
        (b"\tca1.example.net\t", "ca1.example.net", ()),
        (b"ca1.example.net;", "ca1.example.net", ()),
        (b"ca1.example.net ;  \t", "ca1.example.net", ()),
        (b"none", "none", ()),
        (b"192.0.2.1", "192.0.2.1", ()),
        (b"a--b.c", "a--b.c", ()),
        (b"CA1.Example.NET", "CA1.Example.NET", ()),
        (b"x" * 64, "x" * 64, ()),
        (b"ca; foo=bar", "ca", (("foo", "bar"),)),
        (b"ca;foo=bar;baz=a", "ca", (("foo", "bar"), ("baz", "a"))),
        (b" ca ; foo \t= bar ;\tbaz=a ", "ca", (("foo", "bar"), ("baz", "a"))),
        (b"ca; foo=", "ca", (("foo", ""),)),
        (b"ca; foo= ", "ca", (("foo", ""),)),
        (b"ca; foo=; baz=", "ca", (("foo", ""), ("baz", ""))),
        (b"ca; baz=a=b", "ca", (("baz", "a=b"),)),
        (b"ca; baz==", "ca", (("baz", "="),)),
        (b"ca; account-id=7", "ca", (("account-id", "7"),)),
        (b"ca; 7=!\"#,'\\~", "ca", (("7", "!\"#,'\\~"),)),
        (b"; foo=bar", None, (("foo", "bar"),)),
        (b"ca; a=1; A=2", "ca", (("a", "1"), ("A", "2"))),
    ],
)
def test_values_that_follow_the_grammar(
    value: bytes, issuer: str | None, parameters: tuple[tuple[str, str], ...]
) -> None:
    found = parse_issue_value(value)
    assert found == IssueValue(issuer, tuple(Parameter(*each) for each in parameters))
    assert ABNF.fullmatch(value)


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (b"ca; a=b;", "ends with a semicolon after its parameters", "leave out the semicolon"),
        (b"ca; a=b; ", "ends with a semicolon after its parameters", "leave out the semicolon"),
        (b"ca;;", "parameter 1 is empty", "one of the two semicolons"),
        (b"ca; a=b;;c=d", "parameter 2 is empty", "one of the two semicolons"),
        (b"ca1.example.net,ca2.example.org", "has a comma in it", "one record for each CA"),
        (b"ca1 ca2", "has a blank", "one record for each CA"),
        (b"ca foo=bar", "has a blank or an equals sign", "a semicolon between the CA and its"),
        (b"ca a=https://ca.example/1", "has a blank or an equals sign", "a semicolon between"),
        (b"foo=bar", "equals sign", "a semicolon between the CA and its"),
        (b'"ca1.example.net"', "has quotes in it", "adds its own"),
        (b"'ca1.example.net'", "has quotes in it", "leave out the quotes"),
        (b"ca\\; foo=bar", "has a backslash in it", "taken literally"),
        (b"ca_1.example", "has an underscore in it", "hyphens only"),
        (b"ca.example.", "ends with a dot", "leave out the final dot"),
        (b".ca.example", "has an empty label", ""),
        (b"ca..example", "has an empty label", ""),
        (b".", "ends with a dot", ""),
        (b"-ca.example", "begins or ends with a hyphen", ""),
        (b"ca-.example", "begins or ends with a hyphen", ""),
        (b"ca.-", "begins or ends with a hyphen", ""),
        (b"*.ca.example", "has a wildcard in it", "without a wildcard"),
        (b"https://ca.example", "has a colon in it", "its domain alone"),
        (b"ca.example/x", "has octet 0x2f in it", ""),
        (b"mail@ca.example", "is an address", "iodef"),
        (b"%%%%%", "has octet 0x25 in it", ""),
        (b"ca\n", "has octet 0x0a in it", ""),
        (b"ca\x00", "has octet 0x00 in it", ""),
        (b"ca\xc2\xa0", "is not ASCII", "A-labels"),
        ("bücher.example".encode(), "is not ASCII", "A-labels"),
        (b"ca; foo", "has no equals sign", "tag=value"),
        (b"ca; a=b c=d", "has a blank in it", "a semicolon between parameters"),
        (b"ca; ab=1 2 3", "has a blank in it", ""),
        (b"ca; a_b=123", "is not made of letters, digits and inner hyphens", "no underscores"),
        (b"ca; -a=1", "is not made of", ""),
        (b"ca; a-=1", "is not made of", ""),
        (b"ca; =1", "is not made of", ""),
        (b"ca; a b=1", "is not made of", ""),
        (b"ca; a.b=1", "is not made of", ""),
        (b"ca; validationmethods=dns-01, http-01", "blank after a comma", "without blanks"),
        (b"ca; foo=a\xe2\x98\x95b", "is not ASCII", "%XX"),
        (b"ca; foo=a\x7f", "has a control character in it", ""),
        (b"ca; foo=a\n", "has a control character in it", ""),
    ],
)
def test_usual_mistakes_are_named(value: bytes, message: str, hint: str) -> None:
    with pytest.raises(MalformedError, match=re.escape(message)) as caught:
        parse_issue_value(value)
    assert hint in (caught.value.hint or "")
    assert str(caught.value).isprintable()
    assert not ABNF.fullmatch(value)


def test_every_short_value_is_judged_by_the_grammar() -> None:
    """All 37,449 values of up to five of these octets."""
    for length in range(6):
        for octets in itertools.product(b"a-.;= _\x80", repeat=length):
            value = bytes(octets)
            assert accepts(value) is bool(ABNF.fullmatch(value)), value


@given(st.lists(st.sampled_from([*b'aZ9-.;=,_ \t\n"\\%\x00\x7f\xff']), max_size=24).map(bytes))
def test_longer_values_are_judged_by_the_grammar(value: bytes) -> None:
    assert accepts(value) is bool(ABNF.fullmatch(value))


@given(VALUES, st.booleans())
def test_what_is_written_reads_back(value: IssueValue, blanks: bool) -> None:
    octets = to_value(value, blanks)
    assert parse_issue_value(octets) == value
    assert blanks or b" " not in octets
    assert not value.parameters or not octets.endswith(b";")


def test_values_are_written_without_blanks_unless_asked() -> None:
    value = IssueValue("ca.example", (Parameter("a", "1"), Parameter("b", "2")))
    assert to_value(value) == b"ca.example;a=1;b=2"
    assert to_value(value, blanks=True) == b"ca.example; a=1; b=2"
    assert to_value(IssueValue(None)) == b";"
    assert to_value(IssueValue(None), blanks=True) == b";"


@pytest.mark.parametrize(
    "value",
    [
        IssueValue("ca;x"),
        IssueValue("bücher"),
        IssueValue(" ca"),
        IssueValue(""),
        IssueValue("ca", (Parameter("a", "b;c=d"),)),
        IssueValue("ca", (Parameter("a", "b c"),)),
        IssueValue("ca", (Parameter("a=", "b"),)),
        IssueValue("ca", (Parameter("", ""),)),
        IssueValue("\ud800"),
    ],
)
def test_what_the_grammar_cannot_say_is_not_written(value: IssueValue) -> None:
    with pytest.raises(MalformedError):
        to_value(value)


def test_parameters_are_found_without_regard_to_case() -> None:
    value = parse_issue_value(b"ca; AccountURI=a; b=c; accounturi=d")
    assert value.named("accounturi") == ("a", "d")
    assert value.named("ACCOUNTURI") == ("a", "d")
    assert value.named("validationmethods") == ()


@pytest.mark.parametrize(
    "value",
    [b";" * 65000, b"a-" * 32000 + b"_", b"a." * 32000, b"ca;" + b"a=b;" * 16000, b" " * 65000],
)
def test_long_hostile_values_are_answered(value: bytes) -> None:
    """Each of these would take hours if the cost grew with the square of the length."""
    accepts(value * 16)
