"""What a file is that nobody told of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.cli.header.forms import FORMS, form_of
from pinwarden.errors import MalformedError

_PIECES = st.sampled_from(
    [
        *(
            "HTTP/1.1 200 OK",
            "< HTTP/2 200",
            "Expect-CT: max-age=1",
            "Expect-CT",
            "a: b",
            "a:b",
            "",
        ),
        *(" folded", "<html>", "<?php", "server {", "}", "header {", "Header set A b", "\0", "x"),
        *(
            "add_header Expect-CT a;",
            "frontend a",
            '{"apps": {}}',
            "const a = 1;",
            "#",
            "\r",
            "\u2028",
        ),
    ]
)


@given(
    st.lists(_PIECES | st.text(max_size=20), max_size=12), st.sampled_from(["", "a.conf", "a.php"])
)
def test_any_text(lines: list[str], name: str) -> None:
    """One of the forms, or in printable words why not."""
    words = ""
    try:
        assert form_of("\n".join(lines), name) in FORMS[1:]
    except MalformedError as error:
        words = str(error)
    assert words.isprintable()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("HTTP/1.1 200 OK\nadd_header a b;\n", "response"),
        ("\n* Trying\n< HTTP/2 200\n", "response"),
        ("date: a\nserver: b\n\nadd_header Expect-CT a;\n", "nginx"),
        ("date: a\nserver: b\n\na page\n", "response"),
        ("server: a\nExpect-CT: b\n\nadd_header Expect-CT a;\n", "response"),
        ("  Expect-CT: b\n", None),
        ("http:\n  Expect-CT: b\n", None),
        ("<meta http-equiv=a content=b>", "html"),
        ("public-key-pins\n", None),
        ("\n \n", None),
    ],
)
def test_which_counts(text: str, form: str | None) -> None:
    """A status line before all else, then a head that has one of the headers, then the words."""
    if form is not None:
        assert form_of(text, "") == form
        return
    with pytest.raises(MalformedError):
        form_of(text, "")
