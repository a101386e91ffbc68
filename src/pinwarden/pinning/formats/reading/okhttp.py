"""`CertificatePinner.Builder().add(…)` in Kotlin or Java.

Every pin in the file that comes to no host is told of with its line: a file that is put
together in a way that is not understood here must not pass for one that was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pinwarden.errors import quoted
from pinwarden.pinning.formats.reading.found import MOST_PINS, MOST_POLICIES, Found
from pinwarden.pinning.formats.reading.okhttp_words import (
    Texts,
    Word,
    arguments,
    names_in,
    words_in,
)

__all__ = ["read"]

_PIN = re.compile(r"(?:sha-?\d+|md5)\s*[/:]", re.IGNORECASE)
_PATTERN = re.compile(r"(?:\*{1,2}\.)?[^\s/]+\.[^\s/]+|localhost")
_MOST_TOLD = 20
_MOST_PAIRS = 100_000

# The pins of each pattern, in their order and each once.
_Pins = dict[str, dict[str, None]]


def read(text: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    """The policies of every `add` that has a pattern and pins."""
    words = words_in(text)
    names = names_in(words)
    by_pattern: _Pins = {}
    told: list[str] = []
    pairs = 0
    for at in range(len(words) - 1):
        word = words[at]
        is_call = word.kind == "name" and word.text in ("add", "Pin")
        if is_call and words[at + 1].kind == "mark" and words[at + 1].text == "(":
            given = arguments(words, at + 2, names)
            pairs += len(given[0]) * sum(map(len, given)) if given else 0
            if pairs > _MOST_PAIRS:
                told.append(f"line {word.line}: what follows is too much, and left out")
                break
            _take(word, given, by_pattern, told)
    read_pins = {pin for pins in by_pattern.values() for pin in pins}
    told += _unread(words, read_pins)
    notes += told[:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        notes.append(f"{len(told) - _MOST_TOLD} more lines were not understood")
    yield from _pooled(by_pattern, notes)


def _take(word: Word, given: Sequence[Texts], by_pattern: _Pins, told: list[str]) -> None:
    """One call: its pins for its pattern, or why they cannot be told."""
    if len(given) < 2:
        return
    patterns = given[0][:MOST_POLICIES]
    pins = list(dict.fromkeys(each for texts in given[1:] for each in texts))[:MOST_PINS]
    known = [each for each in pins if each is not None]
    if not any(_PIN.match(each) for each in known) and (
        known or not any(each and _PATTERN.fullmatch(each) for each in patterns)
    ):
        return
    if None in patterns:
        told.append(
            f"line {word.line}: its pattern is not a text in this file, so its pins are left out"
        )
    for pattern in patterns:
        if pattern is None:
            continue
        if len(known) < len(pins):
            told.append(
                f"line {word.line}: not every pin of {quoted(pattern, 80)} is a text in this file"
            )
        if known:
            by_pattern.setdefault(pattern.lower(), {}).update(dict.fromkeys(known))


def _unread(words: Sequence[Word], read_pins: set[str]) -> Iterator[str]:
    for word in words:
        # The name of the hash alone is put before a pin that stands elsewhere.
        is_pin = word.kind == "string" and _PIN.match(word.text) and len(word.text) > len("sha256/")
        if is_pin and word.text not in read_pins:
            yield f"line {word.line}: {quoted(word.text, 80)} comes to no host that is known"


def _pooled(by_pattern: _Pins, notes: list[str]) -> Iterator[Found]:
    """The policies; a host has the pins of every pattern that fits it, as with OkHttp.

    Here the most specific policy decides alone, so that it has to have them all.
    """
    # One more than are taken, so that it is told that there are more.
    patterns = list(by_pattern)[: MOST_POLICIES + 1]
    for pattern in patterns:
        host, below = _host(pattern)
        if pattern.startswith("*."):
            notes.append(
                f"{quoted(pattern)} is one label below {quoted(host)} and not the name itself: it "
                "becomes the name and everything below"
            )
        pins = dict(by_pattern[pattern])
        for other in patterns:
            if (
                other != pattern
                and _fits(other, host)
                and not by_pattern[other].keys() <= pins.keys()
            ):
                notes.append(
                    f"{quoted(pattern)} has the pins of {quoted(other)} too, which OkHttp accepts "
                    "there"
                )
                pins.update(by_pattern[other])
        found = Found(host=host, anywhere=tuple(pins), include_subdomains=below)
        yield found


def _host(pattern: str) -> tuple[str, bool]:
    stars, dot, rest = pattern.partition(".")
    return (rest, True) if dot and stars in ("*", "**") else (pattern, False)


def _fits(pattern: str, host: str) -> bool:
    if pattern.startswith("**."):
        return host == pattern[3:] or host.endswith(pattern[2:])
    return pattern.startswith("*.") and host.partition(".")[2] == pattern[2:]
