"""Headers out of what a person has: a saved answer, a page, or a server's configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinwarden.cli.files import read_file
from pinwarden.cli.header.forms import FORMS, form_of
from pinwarden.cli.header.linted import Linted, PinHeader, Place
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.findings import Finding
from pinwarden.findings import headers as kinds
from pinwarden.headers.expect_ct import EXPECT_CT
from pinwarden.headers.hpkp import PUBLIC_KEY_PINS, REPORT_ONLY
from pinwarden.headers.judge import judge_headers
from pinwarden.headers.meta import find_meta
from pinwarden.headers.report import HeaderReport
from pinwarden.headers.response import ResponseHead, parse_response_head
from pinwarden.headers.serverconfig.configured import Action, ConfiguredHeader, Style
from pinwarden.headers.serverconfig.reading import read_config
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.spki import spki_of_certificate

__all__ = ["FORMS", "Whose", "lint_file", "lint_text"]

_LARGEST = 4 << 20
_MOST_NOTES = 20
# No configuration that people write sets one of the headers as often.
_MOST_LINES = 10_000
_PRESENT = {
    PUBLIC_KEY_PINS: kinds.HPKP_PRESENT,
    REPORT_ONLY: kinds.HPKP_REPORT_ONLY_PRESENT,
    EXPECT_CT: kinds.EXPECT_CT_PRESENT,
}


@dataclass(frozen=True, slots=True)
class Whose:
    """What is known of the host behind a file: its name, or "", and its chain, or nothing."""

    host: str = ""
    chain: tuple[bytes, ...] = ()

    @property
    def scheme(self) -> str | None:
        """A chain comes with TLS; without one it is not known how an answer came."""
        return "https" if self.chain else None

    @property
    def pins(self) -> list[str] | None:
        """The pins of the chain in base64, None if there is no chain."""
        if not self.chain:
            return None
        return [Pin.of_spki(spki_of_certificate(each)).base64 for each in self.chain]


def lint_file(path: str, form: str, whose: Whose) -> Linted:
    """What the headers in a file are worth; `-` is the standard input.

    Raises `ConfigError` for a file that cannot be read, and if nothing tells what it is.
    """
    if path != "-" and Path(path).is_dir():
        raise ConfigError(
            f"file {quoted(path)}: is a directory",
            hint="name the files in it; `grep -rlEi 'public-key-pins|expect-ct'` finds them",
        )
    data = read_file(Path(path), _LARGEST)
    name = "standard input" if path == "-" else f"file {quoted(path)}"
    try:
        return lint_text(data, form, whose, target=path, name="" if path == "-" else path)
    except MalformedError as error:
        raise ConfigError(f"{name}: {error}", hint=error.hint) from None


def lint_text(data: bytes, form: str, whose: Whose, *, target: str, name: str = "") -> Linted:
    """The same for what is in memory; raises `MalformedError`."""
    text = data.decode("utf-8-sig", "replace")
    found = form_of(text, name) if form == "auto" else form
    linted = Linted(target=target)
    if found == "response":
        _lint_response(data, whose, linted)
    elif found == "html":
        _lint_page(text, whose, linted)
    else:
        _lint_config(text, Style(found), name, whose, linted)
    return linted


def _lint_response(data: bytes, whose: Whose, linted: Linted) -> None:
    saved = parse_response_head(data)
    linted.notes += saved.problems
    several = len(saved.heads) > 1
    for number, head in enumerate(saved.heads, start=1):
        last = number == len(saved.heads)
        report = judge_headers(
            head.fields,
            # Of several answers only the last is known to be that host's.
            scheme=whose.scheme if last else None,
            host=whose.host,
            chain_pins=whose.pins if last else None,
            html=saved.body if last else "",
        )
        linted.places.append(Place(where=_where(number, head) if several else "", report=report))
        linted.pin_headers += _pin_headers(head.fields, whose)


def _where(number: int, head: ResponseHead) -> str:
    status = f" ({head.status})" if head.status is not None else ""
    return f"answer {number}{status}, line {head.line}"


def _pin_headers(fields: Sequence[tuple[str, str]], whose: Whose) -> Iterator[PinHeader]:
    """The first of each kind, which is the one that counts."""
    for name in (PUBLIC_KEY_PINS, REPORT_ONLY):
        values = [value for each, value in fields if each.lower() == name.lower()]
        for value in values[:1]:
            yield PinHeader(host=whose.host, name=name, value=value, chain=whose.chain)


def _lint_page(text: str, whose: Whose, linted: Linted) -> None:
    report = judge_headers((), scheme=None, host=whose.host, html=text)
    linted.places.append(Place(where="", report=report))
    linted.pin_headers += [
        PinHeader(host=whose.host, name=each.name, value=each.content, chain=whose.chain)
        for each in find_meta(text)
        if each.name != EXPECT_CT
    ]


def _lint_config(text: str, style: Style, name: str, whose: Whose, linted: Linted) -> None:
    reading = read_config(text, style)
    removed: list[str] = []
    for each in reading.headers[:_MOST_LINES]:
        where = _line(each.line, each.context, name)
        if each.action is Action.REMOVE:
            removed.append(f"{where}: {each.name} is removed")
            continue
        linted.places.append(Place(where=where, report=_judge_line(each, whose)))
        if each.value is not None and each.name != EXPECT_CT:
            linted.pin_headers.append(
                PinHeader(host=whose.host, name=each.name, value=each.value, chain=whose.chain)
            )
    linted.notes += _first_of(removed, "lines remove one of the headers")
    linted.notes += _first_of(
        [f"{_line(each.line, '', name)} {each.text}" for each in reading.hiding],
        "blocks hide one of the headers",
    )
    linted.notes += _first_of(
        [f"{_line(each.line, '', name)}: was not read: {each.text}" for each in reading.includes],
        "files were not read",
    )
    linted.not_checked += _first_of(
        [f"{_line(e.line, '', name)}: is not understood: {e.text}" for e in reading.unread],
        "lines are not understood",
    )
    if len(reading.headers) > _MOST_LINES:
        linted.not_checked.append(f"more than {_MOST_LINES:,} lines with one of the headers")
    # Several servers of one file may send each its own pins.
    if len({each.value for each in linted.pin_headers}) > 1:
        linted.notes.append("not all of its pin headers are the same; a pin set has the first")


def _first_of(lines: Sequence[str], others: str) -> list[str]:
    """The first lines, and how many are left out."""
    more = len(lines) - _MOST_NOTES
    return [*lines[:_MOST_NOTES], *([f"{more:,} more {others}"] if more > 0 else [])]


def _line(line: int, context: str, name: str) -> str:
    place = f"{name}:{line}" if name else f"line {line}"
    return f"{place} ({context})" if context else place


def _judge_line(header: ConfiguredHeader, whose: Whose) -> HeaderReport:
    if header.value is not None:
        return judge_headers(
            [(header.name, header.value)],
            scheme=whose.scheme,
            host=whose.host,
            chain_pins=whose.pins,
        )
    message = f"{header.name} is obsolete, and no browser reads it any more; remove it"
    if header.problem:
        message += f" (its value: {header.problem})"
    finding = Finding(
        kind=_PRESENT[header.name],
        subject=whose.host,
        message=message,
        details=(("where", header.name),),
    )
    return HeaderReport(findings=(finding,))
