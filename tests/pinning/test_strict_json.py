"""JSON that no two programs read differently."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError
from pinwarden.pinning.strict_json import read_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_what_has_one_reading_is_read(value: dict[str, object]) -> None:
    assert read_object(json.dumps(value), "x") == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 1}', "twice"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "twice"),
        ('{"a": 1.0}', "whole number"),
        ('{"a": 1e2}', "whole number"),
        ('{"a": NaN}', "whole number"),
        ('{"a": -Infinity}', "whole number"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"\\udfff": 1}', "half a character"),
        ("{} {}", "not JSON"),
        ("\ufeff{}", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ('{"a": 1,}', "not JSON"),
        ('{"a": "\n"}', "not JSON"),
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("1", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        ('{"a": ' + "9" * 10_000 + "}", "not JSON"),
    ],
)
def test_what_has_two_readings_is_refused(text: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words) as caught:
        read_object(text, "x")
    assert str(caught.value).startswith("x: ")
    assert str(caught.value).isprintable()
