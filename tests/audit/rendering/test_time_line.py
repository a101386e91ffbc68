"""The picture of validity: everything inside the frame, and told in words as well."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.audit.rendering.markup import written
from pinwarden.audit.rendering.time_line import draw_time_line
from pinwarden.audit.report import AuditReport
from pinwarden.ct.policy import BrowserPolicy, Forecast
from pinwarden.ct.presented import SCTStatus
from support.audit_samples import (
    AT,
    ISSUED,
    broken_audit,
    good_audit,
    judged,
    reported,
    unreachable_audit,
)

_WIDTH = 640.0


def _drawn(report: AuditReport, width: float = _WIDTH) -> str:
    picture = draw_time_line(report, "key", width)
    assert picture is not None
    return written(picture)


def _words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def _with_leaf(report: AuditReport, start: datetime | None, end: datetime | None) -> AuditReport:
    chain = report.chains[0]
    leaf = replace(chain.certificates[0], not_before=start, not_after=end)
    return replace(report, chains=(replace(chain, certificates=(leaf, *chain.certificates[1:])),))


def _inside(svg: str, width: float) -> bool:
    bars = re.findall(r'<rect x="([-\d.]+)" y="20" width="([-\d.]+)"', svg)
    places = [float(x) for x, _ in bars] + [float(x) + float(w) for x, w in bars]
    places += [float(x) for x in re.findall(r'<circle cx="([-\d.]+)"', svg)]
    places += [float(x) for x in re.findall(r' d="M([-\d.]+) ', svg)]
    return all(0 <= x <= width for x in places)


def test_rows_and_the_day_of_the_audit() -> None:
    """A row for each certificate, for the SCTs and for each browser, under the date."""
    words = _words(_drawn(good_audit()))
    assert [w for w in words if not re.fullmatch(r"[\d-]+", w)] == [
        "audited 2026-11-24",
        "leaf: www.example.com, 2026-10-02 to 2026-12-31",
        "intermediate: R11, 2024-04-15 to 2029-04-14",
        "root: Example Root X1, 2015-10-20 to 2040-10-13",
        "2 SCTs of 2026-10-02: 2 valid",
        "chrome: accepts",
        "apple: accepts, refuses from 2026-12-15",
        "firefox: accepts",
    ]


def test_account_says_the_same() -> None:
    """Whoever does not see the picture hears what is in it."""
    (account,) = re.findall(r"<desc[^>]*>(.*?)</desc>", _drawn(good_audit()))
    assert account == (
        "The audit was on 2026-11-24; validity of the certificate: 2026-10-02 to 2026-12-31; "
        "2 SCTs of 2026-10-02: 2 valid; chrome: accepts; apple: accepts, refuses from 2026-12-15; "
        "firefox: accepts."
    )


def test_certificates_of_cas_run_off_the_picture() -> None:
    """An arrow at both ends of the two that live longer than the leaf, and on the leaf none."""
    assert _drawn(good_audit()).count('class="goes-on"') == 4


def test_an_answer_that_changes_changes_the_bar() -> None:
    """Apple accepts and then refuses; the two parts differ in shape, not in colour alone."""
    svg = _drawn(good_audit())
    assert svg.count('class="bar answer ok"') == 3
    assert svg.count('class="bar answer bad"') == 1


def test_scts_are_marked_by_what_they_are() -> None:
    """Those of one time fall together, unless one of them is not valid."""
    assert _drawn(good_audit()).count('class="disc ok"') == 1
    other = judged("fir", SCTStatus.INVALID)
    svg = _drawn(replace(good_audit(), scts=(judged("oak"), other, judged("x"))))
    assert (svg.count('class="disc ok"'), svg.count('class="disc bad"')) == (1, 1)
    assert "3 SCTs of 2026-10-02: 2 valid, 1 invalid" in _words(svg)


def test_sct_that_cannot_be_read_is_counted() -> None:
    """It has no time to be drawn at, and a place in the words."""
    unreadable = replace(judged("fir", SCTStatus.INVALID), sct=None)
    assert "1 SCT: 1 invalid" in _words(_drawn(replace(good_audit(), scts=(unreadable,))))


def test_expired_certificate_has_no_future() -> None:
    """The browsers' answer is a mark at the day of the audit, right of the bar."""
    svg = _drawn(broken_audit())
    assert 'class="bar bad"' in svg
    assert "bar answer" not in svg
    assert svg.count('class="disc bad"') == 3


def test_nothing_to_draw() -> None:
    """Without a chain, or where its dates cannot be read, there is no picture."""
    assert draw_time_line(unreachable_audit(), "key", _WIDTH) is None
    assert draw_time_line(_with_leaf(good_audit(), None, None), "key", _WIDTH) is None
    wrong = _with_leaf(good_audit(), AT, AT - timedelta(days=1))
    assert draw_time_line(wrong, "key", _WIDTH) is None


def test_crowds_are_bounded() -> None:
    """Hundreds of SCTs, certificates and forecasts make no endless picture."""
    report = good_audit()
    chain = report.chains[0]
    crowded = replace(
        report,
        chains=(replace(chain, certificates=chain.certificates * 50),),
        scts=tuple(judged(str(n), at=ISSUED + timedelta(days=n)) for n in range(200)),
        forecasts=tuple(
            Forecast(
                policy=BrowserPolicy.CHROME, at=AT + timedelta(days=n), compliant=None, because=""
            )
            for n in range(200)
        ),
    )
    assert len(_drawn(crowded)) < 20_000


@pytest.mark.parametrize("width", [340.0, 640.0])
@pytest.mark.parametrize("days", [0.25, 6, 47, 398, 3650, 360_000])
def test_any_life_is_inside_the_frame(days: float, width: float) -> None:
    """From six hours to a thousand years."""
    report = _with_leaf(good_audit(), ISSUED, ISSUED + timedelta(days=days))
    svg = _drawn(report, width)
    assert _inside(svg, width)
    assert all(len(each) * 6 < width + 40 for each in _words(svg))


_MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(_MOMENTS, _MOMENTS, _MOMENTS, _MOMENTS, _MOMENTS)
def test_any_dates_are_inside_the_frame(
    start: datetime, end: datetime, at: datetime, stamped: datetime, forecast: datetime
) -> None:
    """Whatever the certificate, the clock, an SCT and a forecast say."""
    start, end = min(start, end), max(start, end)
    sct = judged("oak")
    assert sct.sct is not None
    report = replace(
        _with_leaf(good_audit(), start, end),
        at=at,
        scts=(replace(sct, sct=replace(sct.sct, timestamp=stamped)),),
        forecasts=(Forecast(policy=BrowserPolicy.APPLE, at=forecast, compliant=False, because=""),),
        policies=tuple(replace(each, at=at) for each in good_audit().policies),
    )
    assert _inside(_drawn(report), _WIDTH)


def test_leaf_of_a_long_name_is_cut() -> None:
    """The words of a row end where the picture does."""
    chain = good_audit().chains[0]
    leaf = reported(subject="CN=" + "x" * 1000)
    words = _words(_drawn(replace(good_audit(), chains=(replace(chain, certificates=(leaf,)),))))
    assert max(map(len, words)) < 120
