"""The words of master files: what parts them, and what they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.zone.master import Word, entries, octets, words_of_line
from pinwarden.errors import MalformedError


@pytest.mark.parametrize(
    ("line", "words", "comment"),
    [
        ("", [], None),
        (" a\tb ", ["a", "b"], None),
        ("a;b", ["a"], "b"),
        ("a ;", ["a"], ""),
        ("a\\;b", ["a\\;b"], None),
        ('"a;b" "" c"d"e', ["a;b", "", "c", "d", "e"], None),
        ('"a\\"b\\\\" c', ['a\\"b\\\\', "c"], None),
        ("a\u00a0b\x0cc", ["a\u00a0b\x0cc"], None),
    ],
)
def test_words_of_a_line(line: str, words: list[str], comment: str | None) -> None:
    found, rest = words_of_line(line)
    assert ([word.text for word in found], rest) == (words, comment)


@pytest.mark.parametrize("line", ['"', 'a "b', '"a\\"', "a\\", "(", "a ) b"])
def test_a_line_alone_must_close_what_it_opens(line: str) -> None:
    with pytest.raises(MalformedError):
        words_of_line(line)


def test_entries_go_on_between_parentheses() -> None:
    found = list(entries('; x\n\na ( b ; one\n "c" ; two\n)d\n e\n( f )\n'))
    assert [(each.line, each.indented, [w.text for w in each.words]) for each in found] == [
        (3, False, ["a", "b", "c", "d"]),
        (6, True, ["e"]),
        (7, False, ["f"]),
    ]
    assert [each.comment for each in found] == ["one", None, None]
    assert not any(each.problem for each in found)


def test_a_fault_in_one_entry_leaves_the_next_whole() -> None:
    found = list(entries('a "b\nc )\nd'))
    assert [bool(each.problem) for each in found] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", b"a"),
        ("\\097", b"a"),
        ("\\a\\;\\\\", b"a;\\"),
        ("é", b"\xc3\xa9"),
        ("\udcff", b"\xff"),
    ],
)
def test_what_words_stand_for(text: str, value: bytes) -> None:
    assert octets(Word(text)) == value


@pytest.mark.parametrize("text", ["\\256", "\\1", "\\12a", "\\", "\ud800"])
def test_escapes_that_are_none(text: str) -> None:
    with pytest.raises(MalformedError):
        octets(Word(text))


@given(st.text(alphabet='a1 \t\n"\\;()', max_size=40))
def test_any_text_comes_apart_or_is_malformed(text: str) -> None:
    try:
        found = list(entries(text))
    except MalformedError:
        return
    lines = [each.line for each in found]
    assert lines == sorted(set(lines))
    assert all(each.words or each.problem for each in found)


@pytest.mark.parametrize(
    "text", ['"' + "a" * 200_000, "\\" * 200_001, '"' + '\\"' * 100_000, "(" * 200_000]
)
def test_long_hostile_lines_are_answered(text: str) -> None:
    with pytest.raises(MalformedError):
        words_of_line(text)
