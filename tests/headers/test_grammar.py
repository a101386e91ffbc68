"""Directives as RFC 9110 has tokens and quoted strings, and nothing beyond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.headers.grammar import LONGEST_FIELD, Directive, parse_list, parse_sequence

TOKEN = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12)
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"))


@st.composite
def directives(draw: st.DrawFn) -> tuple[str, Directive]:
    """One as it is written, and as it is to be read."""
    name = draw(TOKEN)
    match draw(st.sampled_from(["bare", "token", "quoted"])):
        case "bare":
            return name, Directive(name.lower())
        case "token":
            value = draw(TOKEN)
            return f"{name}={value}", Directive(name.lower(), value)
    value = draw(TEXT)
    written = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{written}"', Directive(name.lower(), value, in_quotes=True)


BLANK = st.text(" \t", max_size=2)


@given(st.lists(st.tuples(BLANK, directives(), BLANK), min_size=1, max_size=6))
def test_whatever_is_written_is_read(parts: list[tuple[str, tuple[str, Directive], str]]) -> None:
    """Blanks around the separators do not matter; everything else comes back as it was."""
    pieces = [before + written + after for before, (written, _), after in parts]
    expected = tuple(directive for _, (_, directive), _ in parts)
    assert parse_sequence(";".join(pieces)) == expected
    assert parse_list(",".join(pieces)) == expected
    assert parse_list(", ,".join(["", *pieces, ""])) == expected


@given(st.text(st.sampled_from('ab=";, \\\t\x00\x7fé;="')))
def test_one_or_the_other(text: str) -> None:
    """Any text gives directives, or one printable line that says why not."""
    for parse in (parse_sequence, parse_list):
        words = ""
        try:
            assert parse(text)
        except MalformedError as error:
            words = str(error)
        assert words.isprintable()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('a=""', ""),
        (r'a="\""', '"'),
        (r'a="\\"', "\\"),
        (r'a="\x"', "x"),
        ('a="b;c,d=\t"', "b;c,d=\t"),
        ('a="\xff"', "\xff"),
        ("a='b'", "'b'"),
        ("a=b", "b"),
    ],
)
def test_values(text: str, value: str) -> None:
    """Quotes and escapes are gone; a single quote is a letter like any other."""
    assert parse_sequence(text)[0].value == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ";", "a;", ";a", "a;;b", "a b", "a =b", "a= b", "a=", "=a", "a=b=c", 'a="b"c'),
        *('a="', 'a="b', 'a="\\', 'a="\\"', 'a="\x00"', 'a="\x7f"', "a\x00", "é", "a=é", '"a"'),
        *('"a"="b"', "a=b\r\n", 'a="b\nc"', 'a="\\\n"', "a,b", "a=b/c", "a\u00a0;b"),
    ],
    ids=ascii,
)
def test_what_does_not_fit(text: str) -> None:
    """No repairs: an empty directive, a blank beside the equals sign, an open quote."""
    with pytest.raises(MalformedError):
        parse_sequence(text)


@pytest.mark.parametrize(
    "text", ["", " ", ",", ", ,\t,", "a;b", "a b", "a,b c", 'a="b', "a =b"], ids=ascii
)
def test_lists_that_are_none(text: str) -> None:
    """A list of nothing is none, however many commas it has."""
    with pytest.raises(MalformedError):
        parse_list(text)


@pytest.mark.parametrize("parse", [parse_sequence, parse_list])
@pytest.mark.parametrize(
    "text",
    ["a", "a;", "a,", ",", ";", " ", "\t;", '"', 'a="', "\\", 'a="\\', '"\\"', "a=b", "a=b; "],
    ids=ascii,
)
def test_long_fields(parse: object, text: str) -> None:
    """A hostile field costs no more than its length; a longer one is not looked at."""
    assert callable(parse)
    for times in (LONGEST_FIELD // len(text), LONGEST_FIELD):
        words = ""
        try:
            parse(text * times)
        except MalformedError as error:
            words = str(error)
        assert len(words) < 200
    with pytest.raises(MalformedError, match="longer than"):
        parse("a" * (LONGEST_FIELD + 1))
