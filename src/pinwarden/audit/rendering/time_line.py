"""The picture of validity: certificates, SCTs, today, and what browsers will say until when.

The scale is that of the leaf's life and of today. A certificate of a CA lives much longer:
its bar runs off the picture, and an arrow says that it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from pinwarden.audit.rendering.axis import draw_axis, draw_day
from pinwarden.audit.rendering.chain_picture import name_of, validity_of
from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.picture import fitted, mark, named_picture, text_at
from pinwarden.audit.rendering.scale import Scale, scale_of
from pinwarden.audit.report import AuditReport, ReportedCertificate
from pinwarden.ct.policy import Forecast, PolicyResult
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.render.account import counted, day, shown

__all__ = ["draw_time_line"]

_ROW = 42.0
_TOP = 26.0
_BAR = 12.0
_EDGE = 6.0
_MOST_ROWS = 6
_MOST_MARKS = 24
_WORDS = {True: "accepts", False: "refuses", None: "not known"}


def draw_time_line(report: AuditReport, key: str, width: float) -> Element | None:
    """The time line of an audit, or None where no leaf with readable dates was served."""
    certificates = report.chains[0].certificates if report.chains else ()
    if not certificates:
        return None
    start, end = certificates[0].not_before, certificates[0].not_after
    if start is None or end is None or end < start:
        return None
    scale = scale_of((start, end, report.at), _EDGE, width - _EDGE)
    rows = [
        *(_certificate(each, scale, report.at) for each in certificates[:_MOST_ROWS]),
        *_scts(report.scts, scale),
        *_policies(report, scale, end),
    ]
    bottom = _TOP + _ROW * len(rows)
    today = draw_day(scale, report.at, f"audited {day(report.at)}", _TOP, bottom, width)
    drawn: list[Node] = [draw_axis(scale, _TOP, bottom), today]
    for place, row in enumerate(rows):
        drawn.append(element("g", row, transform=f"translate(0 {_TOP + _ROW * place:.0f})"))
    return named_picture(
        key,
        width,
        bottom + 26,
        "Validity in time",
        _account(report, certificates[0]),
        *drawn,
        class_="time-line",
    )


def _account(report: AuditReport, leaf: ReportedCertificate) -> str:
    validity = validity_of(leaf, report.at)
    told = [f"The audit was on {day(report.at)}; validity of the certificate: {validity}"]
    if report.scts:
        told.append(_sct_words(report.scts))
    told += [_policy_words(each, _of(report.forecasts, each)) for each in report.policies]
    return "; ".join(told) + "."


def _label(text: str, scale: Scale, class_: str = "small") -> Element:
    return text_at(_EDGE, 14, fitted(text, scale.right - scale.left, 12), class_)


def _certificate(each: ReportedCertificate, scale: Scale, at: datetime) -> Element:
    told = f"{each.role}: {shown(name_of(each), 60)}, {validity_of(each, at)}"
    start, end = each.not_before, each.not_after
    bad = told.endswith(("expired", "not valid yet"))
    label = _label(told, scale, "small bad-text" if bad else "small")
    if start is None or end is None or end < start:
        return label
    left, right, now = scale.x(start), scale.x(end), scale.x(min(max(at, start), end))
    bars = [_bar(left, right, "bar" + (" bad" if bad else ""))]
    if now > left and not bad:
        bars.append(_bar(left, now, "bar past"))
    if start < scale.first:
        bars.append(element("path", d=f"M{left + 2:.1f} 26l7 -5v10z", class_="goes-on"))
    if end > scale.last:
        bars.append(element("path", d=f"M{right - 2:.1f} 26l-7 -5v10z", class_="goes-on"))
    return element("g", label, *bars)


def _bar(left: float, right: float, class_: str) -> Element:
    width = max(right - left, 2.0)
    return element("rect", x=left, y=20, width=width, height=_BAR, rx=3, class_=class_)


def _scts(scts: Sequence[JudgedSCT], scale: Scale) -> Iterator[Element]:
    dated = [(each.sct.timestamp, each) for each in scts if each.sct is not None]
    if not scts:
        return
    places: dict[tuple[int, bool | None], float] = {}
    for moment, each in dated:
        x, good = scale.x(moment), _is_good(each)
        # Those of one certificate are seconds apart: one mark for what falls together.
        places.setdefault((round(x / 8), good), x)
    marks = [mark(x, 26, good) for (_, good), x in list(places.items())[:_MOST_MARKS]]
    yield element("g", _label(_sct_words(scts), scale), *_beside(marks, places, scale))


def _beside(
    marks: list[Element], places: dict[tuple[int, bool | None], float], scale: Scale
) -> list[Element]:
    """Marks of different kinds at one place, moved apart so that none hides another."""
    moved = []
    met: dict[int, int] = {}
    for drawn, ((place, _), x) in zip(marks, places.items(), strict=False):
        shift = met.get(place, 0)
        met[place] = shift + 1
        away = 14 if x < (scale.left + scale.right) / 2 else -14
        moved.append(element("g", drawn, transform=f"translate({away * shift} 0)"))
    return moved


def _is_good(each: JudgedSCT) -> bool | None:
    if each.status is SCTStatus.VALID:
        return True
    return False if each.status is SCTStatus.INVALID else None


def _sct_words(scts: Sequence[JudgedSCT]) -> str:
    counts: dict[str, int] = {}
    for each in scts:
        counts[each.status] = counts.get(each.status, 0) + 1
    dates = sorted({day(each.sct.timestamp) for each in scts if each.sct is not None})
    when = f" of {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "") if dates else ""
    kinds = ", ".join(f"{number} {status}" for status, number in counts.items())
    return f"{counted(len(scts), 'SCT')}{when}: {kinds}"


def _of(forecasts: Sequence[Forecast], result: PolicyResult) -> list[Forecast]:
    own = (each for each in forecasts if each.policy is result.policy and each.at > result.at)
    return sorted(own, key=lambda each: each.at)[:_MOST_ROWS]


def _policy_words(result: PolicyResult, forecasts: Sequence[Forecast]) -> str:
    told = [f"{result.policy}: {_WORDS[result.compliant]}"]
    told += [f"{_WORDS[each.compliant]} from {day(each.at)}" for each in forecasts]
    return ", ".join(told)


def _policies(report: AuditReport, scale: Scale, end: datetime) -> Iterator[Element]:
    for result in report.policies:
        forecasts = _of(report.forecasts, result)
        moments = [report.at, *(each.at for each in forecasts), max(end, report.at)]
        answers = [result.compliant, *(each.compliant for each in forecasts)]
        bars = []
        for answer, (left, right) in zip(answers, pairwise(moments), strict=True):
            if scale.x(right) > scale.x(left):
                word = {True: "ok", False: "bad", None: "unknown"}[answer]
                bars.append(_bar(scale.x(left), scale.x(right), f"bar answer {word}"))
        # A certificate that has ended has no future to draw.
        if not bars:
            bars.append(mark(scale.x(report.at), 26, result.compliant))
        yield element("g", _label(_policy_words(result, forecasts), scale), *bars)
