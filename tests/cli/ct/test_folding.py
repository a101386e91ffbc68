"""Lines fit the terminal, and lose nothing by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.cli.ct.folding import fold, terminal_width

_TEXTS = st.text(st.sampled_from("ab -,\N{CJK UNIFIED IDEOGRAPH-6F22}"), max_size=300)
_RULE = "      ✓ passed    sct-count: a certificate of up to 180 days needs SCTs of 2 logs in it"


def test_pipe_gets_lines_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """What is read by another program is searched by the line."""
    assert terminal_width() == 0
    assert list(fold([_RULE * 3], 0)) == [_RULE * 3]


def test_what_follows_is_set_in() -> None:
    """The mark of a rule stands alone at its left."""
    first, second = fold([_RULE], 60)
    assert first == "      ✓ passed    sct-count: a certificate of up to 180 days"
    assert second == "          needs SCTs of 2 logs in it"


@given(
    st.text(st.sampled_from("ab -,\N{CJK UNIFIED IDEOGRAPH-6F22}"), max_size=300),
    st.integers(1, 200),
)
def test_no_line_is_wider_and_no_word_is_lost(text: str, width: int) -> None:
    """However long a word is; on a terminal of a few columns forty are written."""
    lines = list(fold([text], width))
    assert all(len(line) <= max(width, 40) for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
