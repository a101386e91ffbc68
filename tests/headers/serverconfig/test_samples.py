"""Whole configurations of our own making, read to the last line.

What real servers do with them is in `tests/peers/test_server_configs.py`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pinwarden.headers.serverconfig.configured import ConfiguredHeader, Style
from pinwarden.headers.serverconfig.reading import read_config
from pinwarden.headers.serverconfig.styles import style_of

_SAMPLES = Path(__file__).parents[2] / "vectors" / "serverconfig"
_EXPECTED = json.loads((_SAMPLES / "expected.json").read_text())


@pytest.mark.parametrize("name", sorted(_EXPECTED))
def test_a_sample_is_read(name: str) -> None:
    """Every header, include and unread line of a sample is found, with its line and context."""
    expected = _EXPECTED[name]
    text = (_SAMPLES / name).read_text()
    reading = read_config(text, Style(expected["style"]))
    assert [asdict(each) for each in reading.headers] == expected["headers"]
    assert [[each.line, each.text] for each in reading.includes] == expected["includes"]
    assert [[each.line, each.text] for each in reading.unread] == expected["unread"]


@pytest.mark.parametrize("name", sorted(_EXPECTED))
def test_a_sample_is_the_same_with_the_line_ends_of_windows(name: str) -> None:
    """CR LF changes no line, and no value but by a space where Caddy sends one for each."""
    style = Style(_EXPECTED[name]["style"])
    text = (_SAMPLES / name).read_text()

    def found(text: str) -> list[ConfiguredHeader]:
        return [
            replace(each, value=each.value and " ".join(each.value.split()))
            for each in read_config(text, style).headers
        ]

    assert found(text.replace("\n", "\r\n")) == found(text)


@pytest.mark.parametrize("name", sorted(_EXPECTED))
def test_the_style_of_a_sample_is_in_its_words(name: str) -> None:
    """Nobody has to say whose configuration it is, and the file's name is not needed."""
    text = (_SAMPLES / name).read_text()
    assert style_of(text) == _EXPECTED[name]["style"]
    assert style_of(text, "site.conf") == _EXPECTED[name]["style"]


def test_no_sample_is_forgotten() -> None:
    """Every file of the folder has its expectations."""
    files = {each.name for each in _SAMPLES.iterdir()} - {"expected.json"}
    assert files == set(_EXPECTED)
