"""`pinwarden pin backtest --format html`: the answer for each host, with a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinwarden import __version__
from pinwarden.audit.rendering.facts_section import table
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.sheet import written_sheet
from pinwarden.cli.pin.backtest_chart import draw_backtest
from pinwarden.cli.pin.backtest_view import (
    WORDS,
    headline,
    identity,
    notes,
    runs,
    span,
    told_certificate,
)
from pinwarden.names import display
from pinwarden.pinning.backtest import Outcome, PinBacktest, Stretch
from pinwarden.render.account import counted, second

__all__ = ["backtest_page"]

_WIDE, _NARROW = 1000.0, 340.0
_MOST_ROWS = 200
_PLATES = {Outcome.LOCKED_OUT: "problems", Outcome.BACKUP_ALONE: "remarks", Outcome.MATCH: "clear"}
_CELLS = {Outcome.LOCKED_OUT: "word-bad", Outcome.BACKUP_ALONE: "word-ok", Outcome.MATCH: "word-ok"}


def backtest_page(tried: Sequence[PinBacktest], sources: Sequence[str]) -> str:
    """A page with a section for each host."""
    title = headline(tried[0]) if len(tried) == 1 else _several(tried)
    made = f"made by version {__version__}"
    if tried:
        made += f", {second(tried[0].at)}, from {display(', '.join(sources), 300)}"
    top = element(
        "header",
        element("h1", "Pinwarden pin backtest"),
        element("p", title) if len(tried) != 1 else None,
        element("p", made, class_="small-print"),
    )
    sections = (_host(each, f"host-{number}") for number, each in enumerate(tried, 1))
    return written_sheet(f"Pinwarden pin backtest: {title}", top, sections)


def _several(tried: Sequence[PinBacktest]) -> str:
    locked = sum(each.outcome is Outcome.LOCKED_OUT for each in tried)
    unknown = sum(not each.passes for each in tried) - locked
    return (
        f"{counted(len(tried), 'host')}: {locked:,} locked out on some day, {unknown:,} not known, "
        f"{len(tried) - locked - unknown:,} never"
    )


def _host(tried: PinBacktest, key: str) -> Element:
    plate = element("span", WORDS[tried.outcome], class_=_plate(tried.outcome))
    return element(
        "section",
        element("div", element("h2", display(tried.host)), plate, class_="title"),
        element("p", headline(tried)),
        *_pictures(tried, key),
        element("ul", *(element("li", each) for each in notes(tried)), class_="checks"),
        *_times(tried.stretches),
        class_="host",
        id=key,
    )


def _plate(outcome: Outcome) -> str:
    return f"outcome {_PLATES.get(outcome, 'unfinished')}"


def _pictures(tried: PinBacktest, key: str) -> Iterator[Node]:
    if not tried.stretches:
        return
    caption = "Every day, and the certificates: filled while presumably served, pale while valid"
    for width, size in ((_WIDE, "wide"), (_NARROW, "narrow")):
        picture = draw_backtest(tried, f"{key}-{size}", width)
        yield element("figure", element("figcaption", caption), picture, class_=size)


def _times(stretches: Sequence[Stretch]) -> Iterator[Node]:
    if not stretches:
        return
    yield element("h3", "Times")
    found = runs(stretches)
    rows: list[tuple[Node, ...]] = [
        (
            span(run),
            element("span", WORDS[run[0].outcome], class_=_word_class(run[0].outcome)),
            run[0].ground.words,
            _certificates(run),
        )
        for run in found[-_MOST_ROWS:]
    ]
    if len(found) > _MOST_ROWS:
        yield element("p", f"The last {_MOST_ROWS} of {len(found):,}:", class_="small-print")
    yield table("Times", ("days", "outcome", "because", "certificate"), rows)


def _word_class(outcome: Outcome) -> str:
    return _CELLS.get(outcome, "word-unknown")


def _certificates(run: Sequence[Stretch]) -> Node:
    trial = run[0].trial
    if trial is None:
        return ""
    facts = identity(trial)
    code = element("code", facts) if facts else None
    more = f"and then {counted(len(run) - 1, 'other')}" if len(run) > 1 else None
    return (told_certificate(trial), element("br"), code, more and (element("br"), more))
