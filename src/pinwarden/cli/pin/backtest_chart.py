"""The chart of a pin backtest: the outcome of every day, and the certificates below it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from pinwarden.audit.rendering.axis import draw_axis
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.picture import fitted, mark, named_picture, text_at
from pinwarden.audit.rendering.scale import Scale, scale_of
from pinwarden.cli.pin.backtest_view import WORDS, headline, runs, span
from pinwarden.names import display
from pinwarden.pinning.backtest import Outcome, PinBacktest, Stretch, Trial
from pinwarden.pinning.result import PinVerdict

__all__ = ["draw_backtest"]

_EDGE, _TOP, _ROW, _BAR = 6.0, 8.0, 40.0, 12.0
_MOST_CERTIFICATES = 16
_MOST_BARS = 500
_MOST_TOLD = 20
_CLASSES = {
    Outcome.LOCKED_OUT: "bar bad",
    Outcome.BACKUP_ALONE: "bar",
    Outcome.MATCH: "bar answer ok",
}
_GOOD = {PinVerdict.MATCH: True, PinVerdict.MISMATCH: False, PinVerdict.UNKNOWN: None}

# A bar of the whole validity, in which the time that it was presumably served is filled.
_VALID = {
    PinVerdict.MATCH: "bar past",
    PinVerdict.MISMATCH: "bar answer bad",
    PinVerdict.UNKNOWN: "bar answer unknown",
}


def draw_backtest(tried: PinBacktest, key: str, width: float) -> Element:
    """The chart of a backtest that has any stretch; `key` is unique in the page."""
    scale = scale_of((tried.stretches[0].start, tried.at), _EDGE, width - _EDGE)
    certificates = _certificates(tried)
    rows = [_band(tried, scale), *(_certificate(each, scale, tried) for each in certificates)]
    bottom = _TOP + _ROW * len(rows)
    drawn: list[Node] = [draw_axis(scale, _TOP, bottom)]
    for place, row in enumerate(rows):
        drawn.append(element("g", row, transform=f"translate(0 {_TOP + _ROW * place:.0f})"))
    title = f"Days of {display(tried.host)} under these pins"
    return named_picture(
        key, width, bottom + 26, title, _account(tried), *drawn, class_="time-line"
    )


def _account(tried: PinBacktest) -> str:
    """All that the picture shows, in words."""
    shown = [each for each in runs(tried.stretches) if each[0].outcome is not Outcome.MATCH]
    told = [headline(tried), *(f"{WORDS[e[0].outcome]} {span(e)}" for e in shown[:_MOST_TOLD])]
    if len(shown) > _MOST_TOLD:
        told.append(f"and {len(shown) - _MOST_TOLD:,} more times")
    return "; ".join(told) + "."


def _band(tried: PinBacktest, scale: Scale) -> Element:
    outcomes = [each for each in Outcome if each in tried.days]
    words = ", ".join(f"{WORDS[each]}: {tried.days[each]:,}" for each in outcomes)
    shown = [e for e in tried.stretches if e.outcome is not Outcome.NO_CERTIFICATE][-_MOST_BARS:]
    bars = [_stretch(each, scale) for each in shown]
    return element("g", _label(f"days by outcome: {words}", scale), *bars, *_marks(tried, scale))


def _stretch(stretch: Stretch, scale: Scale) -> Element:
    class_ = _CLASSES.get(stretch.outcome, "bar answer unknown")
    return _bar(scale.x(stretch.start), scale.x(stretch.end), class_)


def _marks(tried: PinBacktest, scale: Scale) -> Iterator[Element]:
    """A cross on each time that is locked out, where there is room: not told by colour alone."""
    last = float("-inf")
    for each in tried.of(Outcome.LOCKED_OUT)[:_MOST_BARS]:
        x = scale.x(each.start + (each.end - each.start) / 2)
        if x - last > 2 * _BAR:
            yield mark(x, 20 + _BAR / 2, good=False, size=5)
            last = x


def _certificates(tried: PinBacktest) -> list[Trial]:
    """Those that decided, the newest last."""
    found = {id(e.trial.issuance): e.trial for e in tried.stretches if e.trial is not None}
    return list(found.values())[-_MOST_CERTIFICATES:]


def _certificate(trial: Trial, scale: Scale, tried: PinBacktest) -> Element:
    issuance = trial.issuance
    begins = issuance.not_before.astimezone(UTC).date()
    word = {True: "matches", False: "does not match", None: "not known"}[_GOOD[trial.verdict]]
    label = _label(f"{word}: {begins}, {display(issuance.issuer, 100)}", scale)
    left, right = scale.x(issuance.not_before), scale.x(issuance.not_after)
    bars: list[Node] = [_bar(left, right, _VALID[trial.verdict])]
    bars += [
        _bar(scale.x(each.start), scale.x(each.end), _CLASSES[each.outcome])
        for each in tried.stretches[-_MOST_BARS:]
        if each.outcome in _CLASSES
        if each.trial is not None and each.trial.issuance is issuance
    ]
    return element(
        "g", label, *bars, mark(min(left + 8, scale.right - 8), 26, _GOOD[trial.verdict], 5)
    )


def _label(text: str, scale: Scale) -> Element:
    return text_at(_EDGE, 14, fitted(text, scale.right - scale.left, 12), "small")


def _bar(left: float, right: float, class_: str) -> Element:
    return element(
        "rect", x=left, y=20, width=max(right - left, 1.5), height=_BAR, rx=2, class_=class_
    )
