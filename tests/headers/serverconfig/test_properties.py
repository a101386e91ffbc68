"""What holds for every text: nothing breaks a reader, and every value survives its quoting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.headers.serverconfig.configured import Style
from pinwarden.headers.serverconfig.reading import read_config
from pinwarden.headers.serverconfig.styles import style_of

# What has a meaning for some server, and so changes how the rest is read.
_PIECES = st.sampled_from(
    (
        *("add_header ", "Header set ", "header ", "http-response set-header ", "rspadd "),
        *("more_set_headers ", "header_down ", "import ", "include ", "Define A ", "${A}", "$a"),
        *("Public-Key-Pins", "Expect-CT", "Expect-CT:", " x", '"', "'", "`", "\\", "\\\n", "\n"),
        *("{", "}", ";", "#", "<<E\n", "\nE", "<If a>\n", "</If>\n", "<Macro m $a>\n", "% ", "%%"),
        *("a_by_lua_block {", "--[[", "]]", "server {", "server_name ", "site {\n", "@m ", "/x "),
        *("frontend f\n", '{"', '": {"', "if ", "env=a", "\0", "\r", "\u2028", "\ud7ff", "expr="),
    )
)
_TEXTS = st.one_of(st.text(), st.lists(_PIECES, max_size=40).map("".join))


@given(_TEXTS, st.sampled_from(Style))
def test_every_text_is_read(text: str, style: Style) -> None:
    """A reading, or our own error; lines are in the text, and contexts are short lines."""
    style_of(text)
    try:
        reading = read_config(text, style)
    except MalformedError:
        return
    lines = text.count("\n") + 1
    for each in reading.headers:
        assert 1 <= each.line <= lines
        assert "\n" not in each.context
        assert len(each.context) <= 301
        assert each.value is None or not set(each.value) & set("\r\n\0")
    for note in (*reading.includes, *reading.unread):
        assert 1 <= note.line <= lines
        assert "\n" not in note.text


def _nginx(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'server {{ add_header Expect-CT "{escaped}"; }}'


def _nginx_in_single_quotes(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"server {{ add_header Expect-CT '{escaped}' always; }}"


def _apache(value: str) -> str:
    formatted = value.replace("\\", "\\\\").replace("%", "%%")
    escaped = formatted.replace("\\", "\\\\").replace('"', '\\"')
    return f'<IfModule a>\nHeader set Expect-CT "{escaped}"\n</IfModule>'


def _caddy(value: str) -> str:
    escaped = value.replace("\\{", "{").replace('"', '\\"')
    return f'a.example {{\n\theader Expect-CT "{escaped}"\n}}'


def _haproxy(value: str) -> str:
    escaped = "".join(f"\\{each}" if each in '\\"$#' else each for each in value.replace("%", "%%"))
    return f'frontend a\n  http-response set-header Expect-CT "{escaped}" if TRUE'


def _haproxy_in_single_quotes(value: str) -> str:
    escaped = value.replace("%", "%%").replace("'", "'\\''")
    return f"frontend a\n  http-response set-header Expect-CT '{escaped}'"


_WRITERS = (
    (Style.NGINX, _nginx, "$"),
    (Style.NGINX, _nginx_in_single_quotes, "$"),
    (Style.APACHE, _apache, ""),
    # A backslash before a quote or a brace has no way to be written in double quotes.
    (Style.CADDY, _caddy, "\\{"),
    (Style.HAPROXY, _haproxy, ""),
    (Style.HAPROXY, _haproxy_in_single_quotes, ""),
)
_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)


@pytest.mark.parametrize(
    ("style", "write", "without"), _WRITERS, ids=[write.__name__[1:] for _, write, _ in _WRITERS]
)
@given(value=_VALUES)
def test_a_quoted_value_comes_back(
    value: str, style: Style, write: Callable[[str], str], without: str
) -> None:
    """Whatever is quoted by a server's rules is found as it was, without the space around it."""
    value = "".join(each for each in value if each not in without).replace("${", "")
    if style is Style.APACHE and value[:5].lower() == "expr=":
        value = f"x{value}"
    if not value.strip():
        return
    (found,) = read_config(write(value), style).headers
    assert (found.value, found.problem) == (value.strip(), "")


def test_a_configuration_is_bounded() -> None:
    """More than 4 MiB is refused before it is looked at."""
    with pytest.raises(MalformedError, match="more than 4194304 characters"):
        read_config("#" * (4 * 1024 * 1024 + 1), Style.NGINX)


@pytest.mark.parametrize(
    ("style", "opening"), [(Style.NGINX, "a{"), (Style.APACHE, "<a>\n"), (Style.CADDY, "a {\n")]
)
def test_nesting_is_bounded(style: Style, opening: str) -> None:
    """A hundred blocks in each other are read; one more is no configuration."""
    assert read_config(opening * 100, style).headers == ()
    with pytest.raises(MalformedError, match="nested more than 100 deep"):
        read_config(opening * 101, style)


@pytest.mark.parametrize(
    ("style", "piece"),
    [
        (Style.NGINX, "add_header Expect-CT x;"),
        (Style.NGINX, 'add_header Expect-CT "'),
        (Style.NGINX, "a_by_lua_block { --[["),
        (Style.APACHE, "Header set Expect-CT x\n"),
        (Style.APACHE, "Header set Expect-CT ${"),
        (Style.APACHE, "</a>\n"),
        (Style.APACHE, "\\\n"),
        (Style.CADDY, "header Expect-CT x\n"),
        (Style.CADDY, "header Expect-CT <<A\n"),
        (Style.CADDY, "a,\n"),
        (Style.HAPROXY, "rspadd Expect-CT:x\n"),
        (Style.HAPROXY, 'rspadd "\\'),
    ],
)
def test_much_of_the_same_is_read_to_its_end(style: Style, piece: str) -> None:
    """Long runs of what opens, closes or repeats take time in proportion, and no stack."""
    reading = read_config(piece * 20_000, style)
    # A heredoc ends with its marker, which is on the next line here.
    assert len(reading.headers) in (0, 1, 10_000, 20_000)
