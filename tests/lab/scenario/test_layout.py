"""The story fits a terminal, its commands can be typed, and it repeats nothing."""

from __future__ import annotations

import shlex

from hypothesis import example, given
from hypothesis import strategies as st

from pinwarden.lab.scenario.layout import (
    WIDTH,
    Digest,
    command_lines,
    output_line,
    output_lines,
    told,
)

WORDS = st.from_regex(r"[a-z0-9:/.=-]{1,40}", fullmatch=True)
ALERT = """\
medium: certificate for .shop.example logged, verdict unknown
  What:    a certificate, names in it: {name}
  Next:    acknowledge it (`pinwarden alerts ack {number}`)

    finding: PW-CERT-SEEN (medium)
    alert: {number}
"""


@given(st.lists(WORDS, min_size=1, max_size=12))
@example(["caa", "make", "shop.example", "--ca", "honest.example", "--wildcard", "none"])
@example(["caa", "check", "--resolver", "127.0.0.1:40000", "--account-uri", "https://a.example/1"])
def test_a_command_can_be_typed_as_it_is_shown(arguments: list[str]) -> None:
    lines = command_lines(arguments)
    assert all(len(line) <= WIDTH for line in lines)
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == ["$", "pinwarden", *arguments]


def test_a_value_stays_with_its_option() -> None:
    lines = command_lines(["caa", "check", *["--resolver", "127.0.0.1:40000"] * 5], into="file")
    assert len(lines) > 1
    assert not any(line.removesuffix(" \\").endswith("--resolver") for line in lines)
    assert lines[-1].endswith(" > file")


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=400))
def test_no_line_is_too_long(text: str) -> None:
    assert all(len(line) <= WIDTH for line in [*output_line(text), *told(text)])


def test_what_is_too_long_goes_on_where_its_text_begins() -> None:
    first, second, *_ = output_line("  What:    " + "word " * 40)
    assert first.startswith("  |   What:    word")
    assert second.startswith("  |            word")


def test_a_long_answer_is_cut_and_says_so() -> None:
    assert output_lines("one\ntwo\nthree\n", 2) == ["  | one", "  | two", "  | ..."]
    assert output_lines("one\ntwo\n", 2) == ["  | one", "  | two"]


def test_the_second_alert_tells_only_what_is_new() -> None:
    digest = Digest()
    first, second = (
        [
            shown
            for line in ALERT.format(name=name, number=number).split("\n")
            for shown in digest.lines(line)
        ]
        for name, number in (("login.shop.example", 1), ("pay.shop.example", 2))
    )
    assert [line.split()[1] for line in first] == ["medium:", "What:", "Next:"]
    assert [line.split()[1] for line in second] == ["medium:", "What:"]


def test_what_follows_the_details_of_an_alert_is_told() -> None:
    digest = Digest()
    for line in ALERT.format(name="login.shop.example", number=1).split("\n"):
        list(digest.lines(line))
    assert list(digest.lines("pinwarden: stopped")) == ["  | pinwarden: stopped"]
