"""nginx: what decides about a header, where, and what is left to a person."""

from __future__ import annotations

import pytest

from pinwarden.headers.serverconfig.configured import Action, ConfigReading
from pinwarden.headers.serverconfig.nginx import read_nginx


def _read(text: str) -> ConfigReading:
    return read_nginx(text)


def test_where_a_header_stands() -> None:
    """The way to a header names its server, even if the name comes later."""
    (found,) = _read(
        "http {\n server {\n  location /a { add_header Expect-CT x; }\n"
        "  server_name a.example;\n  server_name b.example;\n }\n}"
    ).headers
    assert found.context == "http, server a.example b.example, location /a"
    assert (found.line, found.action, found.conditional) == (3, Action.ADD, False)


def test_many_names_of_a_server_are_cut() -> None:
    """Of a thousand names a context shows the first three."""
    names = " ".join(f"host{number}.example" for number in range(1000))
    (found,) = _read(f"server {{ server_name {names}; add_header Expect-CT x; }}").headers
    assert found.context == "server host0.example host1.example host2.example"


def test_a_block_that_closes_is_left() -> None:
    """What follows a block is not in it."""
    found = _read(
        "server { if ($a) { return 1; } add_header Expect-CT x; } add_header Expect-CT y;"
    )
    assert [(each.context, each.conditional) for each in found.headers] == [
        ("server", False),
        ("", False),
    ]


def test_an_empty_value_takes_an_inherited_header_away() -> None:
    """No empty header is sent, so that `add_header NAME ""` removes."""
    (found,) = _read('add_header Expect-CT "";').headers
    assert (found.action, found.value) == (Action.REMOVE, None)


@pytest.mark.parametrize("way", ["proxy", "fastcgi", "uwsgi", "scgi", "grpc"])
def test_a_backend_header_is_hidden(way: str) -> None:
    """Every kind of backend has its directive."""
    (found,) = _read(f"{way}_hide_header 'public-key-pins-report-only';").headers
    assert (found.name, found.action) == ("Public-Key-Pins-Report-Only", Action.REMOVE)


@pytest.mark.parametrize(
    "line",
    [
        "# add_header Expect-CT x;",
        "proxy_set_header Expect-CT x;",
        "more_set_input_headers 'Expect-CT: x';",
        "add_header X-Frame-Options DENY;",
        "location /public-key-pins { return 200; }",
        'add_header X-Text "a # b"; # Expect-CT',
    ],
)
def test_what_sends_no_retired_header(line: str) -> None:
    """Comments, headers of requests, other headers and paths are none of our business."""
    assert _read(line) == ConfigReading(())


@pytest.mark.parametrize(
    "line",
    [
        "proxy_pass_header Public-Key-Pins;",
        "add_header X-Pins $upstream_http_public_key_pins;",
        "add_trailer Expect-CT x;",
        "add_header Expect-CT;",
        "sub_filter 'http-equiv=\"Public-Key-Pins\"' '';",
        "map $host $expect_ct { default x; }",
        "map $a $b { default 'Expect-CT: x'; }",
        "access_by_lua_block { ngx.header['Expect-CT'] = 'x' }",
        'add_header "X" "unclosed; add_header Expect-CT x; }',
    ],
)
def test_what_names_a_header_some_other_way(line: str) -> None:
    """A line that names a header and is not understood is kept for a person to look at."""
    reading = _read(line)
    assert reading.headers == ()
    assert [each.line for each in reading.unread] == [1]


def test_lua_ends_where_lua_says() -> None:
    """Quotes and braces in the comments and strings of Lua do not hide what follows."""
    reading = _read(
        "content_by_lua_block {\n -- don't { \n local a = '}' --[[ } ]]\n if a then { } end\n}\n"
        "add_header Expect-CT x;"
    )
    assert [(each.line, each.value) for each in reading.headers] == [(6, "x")]


def test_a_value_in_which_another_header_begins() -> None:
    """A line break without indentation after it ends the header; a value is not guessed."""
    (found,) = _read('add_header Expect-CT "a\nSet-Cookie: b";').headers
    assert found.value is None
    assert "line break" in found.problem


def test_includes_are_told() -> None:
    """What other files say is not known, and that is said."""
    reading = _read("http {\n include mime.types;\n include 'conf.d/*.conf';\n}")
    assert [(each.line, each.text) for each in reading.includes] == [
        (2, "mime.types"),
        (3, "conf.d/*.conf"),
    ]


def hiding(text: str) -> list[tuple[int, str]]:
    """The lines that hide a header, and which."""
    return [(each.line, each.text) for each in read_nginx(text).hiding]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (
            "add_header X a;",
            [(3, "(server, location /): add_header hides the Expect-CT of line 2")],
        ),
        ("if (a) { add_header X a; }", [(3, "(server, location /, if (a)): {}")]),
        ('add_header X a; add_header Expect-CT "";', []),
        ("add_header Expect-CT b; add_header X a;", []),
        ("add_header_inherit merge; add_header X a;", []),
        ("add_header X;", []),
        ("more_set_headers 'X: a';", []),
        ("return 200;", []),
    ],
)
def test_what_an_inner_block_hides(inner: str, expected: list[tuple[int, str]]) -> None:
    """A block with an `add_header` inherits none, unless it says that it does."""
    text = f"server {{\nadd_header Expect-CT a;\nlocation / {{ {inner} }}\n}}\n"
    words = "add_header hides the Expect-CT of line 2"
    assert hiding(text) == [(line, said.format(words)) for line, said in expected]


def test_only_the_next_level_is_hidden() -> None:
    """What a server hides of `http` its locations need not hide again; `merge` is inherited."""
    text = "add_header Expect-CT a;\nserver { add_header X b;\n location / { add_header Y c; } }\n"
    assert [line for line, _ in hiding(text)] == [2]
    assert hiding(f"add_header_inherit merge;\n{text}") == []
