"""The search of RFC 8659 section 3, and what may be searched for."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.climb import (
    CAAName,
    RelevantSet,
    climb,
    climb_asking,
    climb_with,
    parse_caa_name,
    parse_names,
    why_not_applicable,
)
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.errors import MalformedError
from support.caa_sets import answered, failed

NAMES = st.lists(
    st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
        lambda label: not label.startswith("xn--")
    ),
    min_size=1,
    max_size=8,
).map(".".join)


def names_asked(name: str) -> tuple[str, ...]:
    """What a search asks for when nothing is found anywhere."""
    return tuple(step.name for step in climb_with(name, answered).steps)


@pytest.mark.parametrize(
    ("text", "name", "wildcard", "is_ip"),
    [
        ("www.example.com", "www.example.com", False, False),
        ("WWW.Example.COM.", "www.example.com", False, False),
        ("*.Example.com", "example.com", True, False),
        ("*.example.com.", "example.com", True, False),
        ("bücher.example", "xn--bcher-kva.example", False, False),
        ("*.bücher.example", "xn--bcher-kva.example", True, False),
        ("_dmarc.example.com", "_dmarc.example.com", False, False),
        ("test", "test", False, False),
        ("192.0.2.1", "192.0.2.1", False, True),
        ("2001:DB8::1", "2001:db8::1", False, True),
        ("[2001:db8::]", "2001:db8::", False, True),
        (" example.com ", "example.com", False, False),
    ],
)
def test_reads_names_as_people_write_them(
    text: str, name: str, wildcard: bool, is_ip: bool
) -> None:
    assert parse_caa_name(text) == CAAName(text, name, wildcard, is_ip)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "*",
        "*.",
        "*.*.example.com",
        "www.*.example.com",
        "a..example.com",
        "a b.example",
        "-a.example",
        "x" * 64 + ".example",
        ".".join(["label"] * 50),
        "*.192.0.2.1",
        "\x1b[31m.example",
    ],
)
def test_refuses_what_is_no_name_in_one_line(text: str) -> None:
    with pytest.raises(MalformedError) as refused:
        parse_caa_name(text)
    assert str(refused.value).isprintable()


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = parse_caa_name(text)
    except MalformedError:
        return
    assert name.name == name.name.lower()
    assert parse_caa_name(name.name).name == name.name


def test_a_list_has_comments_and_empty_lines() -> None:
    names = parse_names("# ours\nexample.com\n\n  *.example.org # all of it\r\n")
    assert [(each.name, each.wildcard) for each in names] == [
        ("example.com", False),
        ("example.org", True),
    ]


def test_a_list_says_which_line_is_wrong() -> None:
    with pytest.raises(MalformedError, match=r"^line 2: "):
        parse_names("example.com\nno name\n")


def test_asks_up_to_the_top_level_domain() -> None:
    assert names_asked("a.b.co.uk") == ("a.b.co.uk", "b.co.uk", "co.uk", "uk")
    assert names_asked("test") == ("test",)


@given(NAMES)
def test_every_parent_is_asked_once(name: str) -> None:
    asked = names_asked(name)
    assert len(asked) == len(name.split("."))
    assert all(child.partition(".")[2] == parent for child, parent in pairwise(asked))


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1", "abc.onion", "onion"])
def test_some_names_are_not_governed(name: str) -> None:
    assert why_not_applicable(name)


@pytest.mark.parametrize("name", ["example.com", "onion.example", "notonion", "1.example", "a.b1"])
def test_other_names_are_governed(name: str) -> None:
    assert why_not_applicable(name) is None


def _from(*answers: Lookup) -> RelevantSet:
    table = {answer.name: answer for answer in answers}
    return climb_with(
        "a.b.example.com",
        lambda name: table.get(name) or Lookup(name=name, outcome=Outcome.NO_SUCH_NAME),
    )


def test_nothing_anywhere() -> None:
    found = _from()
    assert (found.relevant_name, found.lookup, found.failed) == (None, None, False)
    assert [step.name for step in found.steps] == [
        "a.b.example.com",
        "b.example.com",
        "example.com",
        "com",
    ]


def test_the_nearest_set_ends_the_search() -> None:
    found = _from(answered("b.example.com", '0 issue "a"'), answered("example.com", '0 issue ";"'))
    assert found.relevant_name == "b.example.com"
    assert len(found.steps) == 2


def test_a_set_that_cannot_be_read_ends_the_search() -> None:
    found = _from(answered("b.example.com", r"\# 1 00"), answered("example.com", '0 issue ";"'))
    assert found.relevant_name == "b.example.com"


def test_a_failure_below_a_set_ends_the_search() -> None:
    found = _from(failed("b.example.com"), answered("example.com", '0 issue "a"'))
    assert found.failed
    assert found.relevant_name == "b.example.com"


def test_nothing_is_asked_above_a_set() -> None:
    found = _from(answered("b.example.com", '0 iodef "mailto:a@b"'), failed("example.com"))
    assert not found.failed
    assert [step.name for step in found.steps] == ["a.b.example.com", "b.example.com"]


def test_the_conversation_can_be_held_by_hand() -> None:
    search = climb("www.example")
    assert next(search) == "www.example"
    assert search.send(answered("www.example")) == "example"
    with pytest.raises(StopIteration) as end:
        search.send(answered("example"))
    assert end.value.value.lookup is None


def test_dnssec_is_as_weak_as_the_weakest_answer() -> None:
    def state(*states: DNSSECState) -> DNSSECState:
        steps = tuple(Lookup(name="a", outcome=Outcome.NO_DATA, dnssec=each) for each in states)
        return RelevantSet("a", steps=steps).dnssec

    secure, insecure = DNSSECState.SECURE, DNSSECState.INSECURE
    assert state() is DNSSECState.INDETERMINATE
    assert state(secure, secure) is secure
    assert state(secure, insecure) is insecure
    assert state(insecure, DNSSECState.INDETERMINATE) is DNSSECState.INDETERMINATE
    assert state(secure, DNSSECState.BOGUS) is DNSSECState.BOGUS


OUTCOMES = st.sampled_from(["records", "no-data", "failed", "nxdomain"])


@given(st.lists(OUTCOMES, min_size=1, max_size=6))
def test_the_first_answer_that_is_not_empty_decides(outcomes: list[str]) -> None:
    name = ".".join("abcdef"[: len(outcomes)])
    made = {
        "records": lambda asked: answered(asked, '0 issue "ca.example"'),
        "no-data": lambda asked: answered(asked),
        "failed": lambda asked: failed(asked, Failure.TIMEOUT),
        "nxdomain": lambda asked: Lookup(name=asked, outcome=Outcome.NO_SUCH_NAME),
    }
    by_name = dict(zip(names_asked(name), outcomes, strict=True))
    found = climb_with(name, lambda asked: made[by_name[asked]](asked))
    ends = [asked for asked, outcome in by_name.items() if outcome in ("records", "failed")]
    assert found.relevant_name == (ends[0] if ends else None)
    assert found.failed == bool(ends and by_name[ends[0]] == "failed")


async def test_the_same_search_with_answers_that_are_waited_for() -> None:
    """It asks what the search that is answered at once asks, and ends where that ends."""
    zone = {"com": Outcome.NO_DATA, "example.com": Outcome.FAILED}

    def answer(name: str) -> Lookup:
        return Lookup(name=name, outcome=zone.get(name, Outcome.NO_SUCH_NAME))

    async def look_up(name: str) -> Lookup:
        await asyncio.sleep(0)
        return answer(name)

    for name in ("a.b.example.com", "other.com"):
        assert await climb_asking(name, look_up) == climb_with(name, answer)
