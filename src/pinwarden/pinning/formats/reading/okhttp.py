"""`CertificatePinner.Builder().add(…)` in Kotlin or Java.

Every pin in the file that comes to no host is told of with its line: a file that is put
together in a way that is not understood here must not pass for one that was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pinwarden.errors import quoted
from pinwarden.pinning.formats.reading.found import MOST_POLICIES, Found
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


def read(text: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    """The policies of every `add` that has a pattern and pins."""
    words = words_in(text)
    names = names_in(words)
    by_pattern: dict[str, list[str]] = {}
    told: list[str] = []
    for at in range(len(words) - 1):
        word = words[at]
        is_call = word.kind == "name" and word.text in ("add", "Pin")
        if is_call and words[at + 1].kind == "mark" and words[at + 1].text == "(":
            _take(word, arguments(words, at + 2, names), by_pattern, told)
    read_pins = {pin for pins in by_pattern.values() for pin in pins}
    told += _unread(words, read_pins)
    notes += told[:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        notes.append(f"{len(told) - _MOST_TOLD} more lines were not understood")
    yield from _pooled(by_pattern, notes)


def _take(
    word: Word, given: Sequence[Texts], by_pattern: dict[str, list[str]], told: list[str]
) -> None:
    """One call: its pins for its pattern, or why they cannot be told."""
    if len(given) < 2:
        return
    patterns = given[0]
    pins = [each for texts in given[1:] for each in texts]
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
            by_pattern.setdefault(pattern.lower(), []).extend(known)


def _unread(words: Sequence[Word], read_pins: set[str]) -> Iterator[str]:
    for word in words:
        # The name of the hash alone is put before a pin that stands elsewhere.
        is_pin = word.kind == "string" and _PIN.match(word.text) and len(word.text) > len("sha256/")
        if is_pin and word.text not in read_pins:
            yield f"line {word.line}: {quoted(word.text, 80)} comes to no host that is known"


def _pooled(by_pattern: dict[str, list[str]], notes: list[str]) -> Iterator[Found]:
    """The policies; a host has the pins of every pattern that fits it, as with OkHttp.

    Here the most specific policy decides alone, so that it has to have them all.
    """
    patterns = list(by_pattern)[:MOST_POLICIES]
    for pattern in list(by_pattern):
        host, below = _host(pattern)
        if pattern.startswith("*."):
            notes.append(
                f"{quoted(pattern)} is one label below {quoted(host)} and not the name itself: it "
                "becomes the name and everything below"
            )
        found = Found(host=host, anywhere=tuple(by_pattern[pattern]), include_subdomains=below)
        for other in patterns:
            more = tuple(each for each in by_pattern[other] if each not in found.anywhere)
            if more and other != pattern and _fits(other, host):
                notes.append(
                    f"{quoted(pattern)} has the pins of {quoted(other)} too, which OkHttp accepts "
                    "there"
                )
                found = replace(found, anywhere=(*found.anywhere, *more))
        yield found


def _host(pattern: str) -> tuple[str, bool]:
    stars, dot, rest = pattern.partition(".")
    return (rest, True) if dot and stars in ("*", "**") else (pattern, False)


def _fits(pattern: str, host: str) -> bool:
    if pattern.startswith("**."):
        return host == pattern[3:] or host.endswith(pattern[2:])
    return pattern.startswith("*.") and host.partition(".")[2] == pattern[2:]
