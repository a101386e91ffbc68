"""A backtest of a policy as one page of HTML, with a picture of the issuances in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinwarden import __version__
from pinwarden.audit.rendering.axis import draw_axis, draw_day
from pinwarden.audit.rendering.facts_section import definitions, limited, table
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.picture import fitted, mark, named_picture, text_at
from pinwarden.audit.rendering.scale import Scale, scale_of
from pinwarden.audit.rendering.sheet import written_sheet
from pinwarden.caa.backtest import BacktestVerdict, CAABacktest, Tally, TriedIssuance
from pinwarden.caa.issuers.map import How
from pinwarden.cli.caa.backtest_view import Backtested, counts, headline, reason_of, warnings
from pinwarden.render.account import day, second, shown, some

__all__ = ["backtest_page", "draw_issuances"]

_WIDE, _NARROW = 960.0, 340.0
_ROW, _TOP, _EDGE = 42.0, 26.0, 8.0
_MARK = 6.0
_MOST_ROWS = 12
_MOST_LISTED = 50
_LONGEST_CA = 60
_GOOD = {
    BacktestVerdict.REFUSED: False,
    BacktestVerdict.UNKNOWN: None,
    BacktestVerdict.ALLOWED: True,
}
_WORDS = {
    BacktestVerdict.REFUSED: ("problems", "✗ would have refused some"),
    BacktestVerdict.UNKNOWN: ("unfinished", "? cannot be told"),
    BacktestVerdict.ALLOWED: ("clear", "✓ would have allowed all"),
}


def backtest_page(told: Backtested) -> str:
    """The whole page; everything foreign is escaped for it."""
    result = told.result
    made = f"made by version {__version__}, {second(result.at)}; reading: {told.profile}"
    top = element(
        "header",
        element("h1", "Pinwarden: a CAA policy tried on the past"),
        element("p", made, class_="small-print"),
    )
    class_, words = _WORDS[result.verdict]
    title = element(
        "div",
        element("h2", some(told.names, 8)),
        element("span", words, class_=f"outcome {class_}"),
        class_="title",
    )
    section = element(
        "section",
        title,
        element("p", headline(told)),
        *(element("p", each) for each in warnings(told)),
        *_pictures(result),
        *_tallies("By CA", "CA", result.by_ca()),
        *_tallies("By name", "name", result.by_name()),
        *_list("Refused", result.of(BacktestVerdict.REFUSED)),
        *_list("Cannot be told", result.of(BacktestVerdict.UNKNOWN)),
        *_notes("Not read", told.failures),
        *_notes("Notes", told.notes),
        class_="host",
    )
    return written_sheet(f"Pinwarden: {headline(told)}", top, (section,))


def _notes(title: str, texts: Sequence[str]) -> Iterator[Node]:
    if texts:
        yield element("h3", title)
        yield from limited(texts, lambda each: element("p", shown(each, 1000)))


def _tallies(title: str, head: str, tallies: Sequence[Tally]) -> Iterator[Node]:
    if not tallies:
        return
    yield element("h3", title)
    rows = [(shown(each.of, 100), counts(each)) for each in tallies[:_MOST_LISTED]]
    yield table(title, (head, "would have been"), rows)
    if len(tallies) > _MOST_LISTED:
        yield element("p", f"and {len(tallies) - _MOST_LISTED:,} more", class_="quiet")


def _list(title: str, tried: Sequence[TriedIssuance]) -> Iterator[Node]:
    if tried:
        yield element("h3", title)
        yield from limited(tuple(reversed(tried)), _issuance)


def _issuance(each: TriedIssuance) -> Element:
    issuance = each.issuance
    valid = f"{day(issuance.not_before)} to {day(issuance.not_after)}"
    place = f"{issuance.source} {shown(issuance.reference, 200)}".strip()
    return definitions(
        (
            ("CA", shown(each.ca, _LONGEST_CA)),
            ("known", "by its name alone" if each.how is How.BY_NAME else None),
            ("names", some([name.name for name in each.names], 8)),
            ("valid", f"{valid}{', valid now' if each.valid else ''}"),
            ("why", reason_of(each.deciding)),
            ("issuer", shown(issuance.issuer)),
            ("serial", shown(issuance.serial, 100)),
            ("found in", place),
        )
    )


def _pictures(result: CAABacktest) -> Iterator[Node]:
    if not result.tried:
        return
    yield element("h3", "In time")
    for width, size in ((_WIDE, "wide"), (_NARROW, "narrow")):
        caption = element(
            "figcaption", "Each certificate on the day it was issued: ✓ allowed, ✗ refused, ? open"
        )
        picture = draw_issuances(result, f"issued-{size}", width)
        yield element("figure", caption, picture, class_=size)


def draw_issuances(result: CAABacktest, key: str, width: float) -> Element:
    """The time line: a row for each CA, a mark for each issuance; `result` has some.

    `key` is unique in the page.
    """
    moments = [each.issuance.not_before for each in result.tried]
    scale = scale_of((*moments, result.at), _EDGE + _MARK, width - _EDGE - _MARK)
    tallies = result.by_ca()
    rows = [
        _row(each, [one for one in result.tried if one.ca == each.of], scale)
        for each in tallies[:_MOST_ROWS]
    ]
    if len(tallies) > _MOST_ROWS:
        named = {each.of for each in tallies[:_MOST_ROWS]}
        others = [one for one in result.tried if one.ca not in named]
        rows.append(_marked(f"{len(tallies) - _MOST_ROWS:,} other CAs", others, scale))
    bottom = _TOP + _ROW * len(rows)
    today = draw_day(scale, result.at, f"tried {day(result.at)}", _TOP, bottom, width)
    drawn: list[Node] = [draw_axis(scale, _TOP, bottom), today]
    for place, row in enumerate(rows):
        drawn.append(element("g", row, transform=f"translate(0 {_TOP + _ROW * place:.0f})"))
    return named_picture(
        key,
        width,
        bottom + 26,
        "Issuances in time, by CA",
        _account(tallies),
        *drawn,
        class_="time-line",
    )


def _account(tallies: Sequence[Tally]) -> str:
    told = "; ".join(
        f"{shown(each.of, _LONGEST_CA)}: {counts(each)}" for each in tallies[:_MOST_ROWS]
    )
    rest = len(tallies) - _MOST_ROWS
    return f"{told}; and {rest:,} other CAs." if rest > 0 else f"{told}."


def _row(tally: Tally, tried: Sequence[TriedIssuance], scale: Scale) -> Element:
    return _marked(f"{shown(tally.of, _LONGEST_CA)}: {counts(tally)}", tried, scale, tally.refused)


def _marked(label: str, tried: Sequence[TriedIssuance], scale: Scale, refused: int = 0) -> Element:
    # One mark for what falls together; a refusal is drawn last, so that nothing hides it.
    places = {(round(scale.x(each.issuance.not_before) / _MARK), each.verdict) for each in tried}
    marks = [
        mark(place * _MARK, 28, _GOOD[verdict], _MARK)
        for verdict in reversed(BacktestVerdict)
        for place, kind in sorted(places)
        if kind is verdict
    ]
    class_ = "small bad-text" if refused else "small"
    text = fitted(label, scale.right - scale.left, 12)
    return element("g", text_at(_EDGE, 14, text, class_), *marks)
