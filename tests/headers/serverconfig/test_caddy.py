"""Caddy: sites, snippets, matchers, blocks of `header`, and Caddy's JSON."""

from __future__ import annotations

import json

import pytest

from pinwarden.errors import MalformedError
from pinwarden.headers.serverconfig.caddy import read_caddy
from pinwarden.headers.serverconfig.configured import Action, ConfigReading


def test_addresses_over_lines() -> None:
    """The addresses of a site go on after a comma."""
    (found,) = read_caddy("a.example,\nb.example {\n\theader Expect-CT x\n}").headers
    assert (found.context, found.line) == ("site a.example b.example", 3)


def test_a_file_of_one_site_needs_no_braces() -> None:
    """The first line is the address, and the rest are its directives."""
    text = "a.example\n\nheader {\n Expect-CT x\n}\nheader -Public-Key-Pins\n"
    first, second = read_caddy(text).headers
    assert (first.context, first.value) == ("site a.example", "x")
    assert (second.context, second.action) == ("site a.example", Action.REMOVE)


def test_a_file_of_directives_alone() -> None:
    """What other files import begins with a directive, and is in no site."""
    first, second = read_caddy("header Expect-CT x\nheader {\n Expect-CT y\n}\n").headers
    assert (first.context, second.context) == ("", "")
    assert (first.value, second.value) == ("x", "y")


@pytest.mark.parametrize(
    ("written", "action", "conditional", "value"),
    [
        ("Expect-CT x", Action.SET, False, "x"),
        ("+Expect-CT x", Action.ADD, False, "x"),
        ("?Expect-CT x", Action.SET, True, "x"),
        (">Expect-CT x", Action.SET, False, "x"),
        ("-Expect-CT", Action.REMOVE, False, None),
        ("-expect-*", Action.REMOVE, False, None),
        ("-*-ct", Action.REMOVE, False, None),
        ("-*pect*", Action.REMOVE, False, None),
        ("Expect-CT a b", Action.SET, False, None),
    ],
)
def test_what_a_prefix_means(
    written: str, action: Action, conditional: bool, value: str | None
) -> None:
    """A prefix says whether a header is set, added, given if missing, or deleted."""
    for text in (f"a {{\nheader {written}\n}}", f"a {{\nheader {{\n{written}\n}}\n}}"):
        (found,) = read_caddy(text).headers
        assert (found.name, found.value) == ("Expect-CT", value)
        assert (found.action, found.conditional) == (action, conditional)


@pytest.mark.parametrize(
    "text",
    [
        "a {\nheader /x/* Expect-CT x\n}",
        "a {\nheader @m Expect-CT x\n}",
        "a {\nheader @m {\nExpect-CT x\n}\n}",
        "a {\nheader {\nExpect-CT x\nmatch {\nstatus 2xx\n}\n}\n}",
        "a {\nhandle /x/* {\nheader Expect-CT x\n}\n}",
    ],
)
def test_a_matcher_is_a_condition(text: str) -> None:
    """A matcher of the directive, of its block or of a block around it."""
    (found,) = read_caddy(text).headers
    assert (found.value, found.conditional) == ("x", True)


def test_a_matcher_sends_nothing() -> None:
    """`header` in a named matcher asks for a header of the request."""
    text = "a {\n@m {\nheader Expect-CT x\nnot {\nheader Expect-CT y\n}\n}\nheader Expect-CT z\n}"
    assert [each.value for each in read_caddy(text).headers] == ["z"]


def test_imports() -> None:
    """Files are told, snippets of the same file are read where they stand."""
    text = (
        "(pins) {\nheader Expect-CT x\n}\nimport sites/*\na {\nimport pins\nimport other.caddy\n}"
    )
    reading = read_caddy(text)
    assert [each.context for each in reading.headers] == ["snippet pins"]
    assert [each.text for each in reading.includes] == ["sites/*", "other.caddy"]


@pytest.mark.parametrize(
    "line",
    ["header_down Expect-CT x", "header_downstream Expect-CT x"],
)
def test_what_a_backend_sends_is_changed(line: str) -> None:
    """The way down of a proxy, in the words of Caddy 2 and of Caddy 1."""
    (found,) = read_caddy(f"a {{\nreverse_proxy b:1 {{\n{line}\n}}\n}}").headers
    assert (found.context, found.value) == ("site a, reverse_proxy b:1", "x")


@pytest.mark.parametrize(
    "line",
    [
        "# header Expect-CT x",
        "request_header Expect-CT x",
        "header_up Expect-CT x",
        "header X-Frame-Options DENY",
        "respond /expect-ct 200",
        "@m header Expect-CT x",
    ],
)
def test_what_sends_no_retired_header(line: str) -> None:
    """Comments, requests, matchers, other headers and paths."""
    assert read_caddy(f"a {{\n{line}\n}}") == ConfigReading(())


@pytest.mark.parametrize(
    "line", ["header Expect-CT: x", "respond Expect-CT", "log_append Expect-CT"]
)
def test_what_names_a_header_some_other_way(line: str) -> None:
    """A line that names a header and is not understood is kept for a person to look at."""
    reading = read_caddy(f"a {{\n{line}\n}}")
    assert reading.headers == ()
    assert [each.line for each in reading.unread] == [2]


def test_a_heredoc_without_its_end() -> None:
    """What is not closed goes to the end of the file."""
    (found,) = read_caddy("a {\nheader Expect-CT <<X\nb\nc").headers
    assert found.value == "b c"


def _json(response: object, **around: object) -> str:
    route = {"handle": [{"handler": "headers", "response": response}], **around}
    return json.dumps({"apps": {"http": {"servers": {"s": {"listen": [":1"], "routes": [route]}}}}})


def test_json_handlers() -> None:
    """Set values are one field, added ones are several, and a delete takes patterns."""
    text = _json({"set": {"expect-ct": ["a", "b"]}, "add": {"Public-Key-Pins": ["c", "d"]}})
    found = [(each.name, each.value, each.action) for each in read_caddy(text).headers]
    assert found == [
        ("Expect-CT", "a,b", Action.SET),
        ("Public-Key-Pins", "c", Action.ADD),
        ("Public-Key-Pins", "d", Action.ADD),
    ]
    removed = read_caddy(_json({"delete": ["Expect-*", "X"]})).headers
    assert [(each.name, each.action) for each in removed] == [("Expect-CT", Action.REMOVE)]
    replaced = read_caddy(_json({"replace": {"Expect-CT": [{"search": "a"}]}})).headers
    assert [(each.value, each.problem) for each in replaced] == [(None, "an edit of what is there")]


def test_json_conditions() -> None:
    """A matcher of the route, or what the answer must be."""
    matched = read_caddy(_json({"set": {"Expect-CT": ["a"]}}, match=[{"path": ["/x"]}])).headers
    required = read_caddy(_json({"set": {"Expect-CT": ["a"]}, "require": {"status_code": [2]}}))
    assert [each.conditional for each in (*matched, *required.headers)] == [True, True]
    assert matched[0].context == "server s"


@pytest.mark.parametrize(
    "text",
    [
        '{"apps": ',
        '{"a": 1} {',
        '{"a":' * 50_000,
        '{"a":' * 300 + "1" + "}" * 300,
        '{"a": ' + "1" * 5_000 + "}",
    ],
    ids=["cut", "more", "deep", "deeper than any", "endless number"],
)
def test_json_that_is_none(text: str) -> None:
    """What begins as JSON and cannot be read is said to be broken, not empty."""
    with pytest.raises(MalformedError, match="configuration"):
        read_caddy(text)


@pytest.mark.parametrize(
    "response",
    [None, [], "x", {"set": []}, {"set": {"Expect-CT": "x"}}, {"delete": [1, None]}, {"add": 1}],
)
def test_json_of_other_shapes(response: object) -> None:
    """Values where Caddy has none cost only themselves."""
    assert read_caddy(_json(response)).headers == ()
