"""The picture of a backtest: rows, marks, and what a hostile history makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from pinwarden.audit.rendering.markup import written
from pinwarden.caa.backtest import CAABacktest, backtest_policy
from pinwarden.caa.issuers.map import load_issuers
from pinwarden.caa.presentation import parse_presentation
from pinwarden.caa.profiles import RFC8659
from pinwarden.cli.caa.backtest_page import backtest_page, draw_issuances
from pinwarden.cli.caa.backtest_view import Backtested, backtest_text, headline, warnings
from pinwarden.cli.caa.meant_policy import policy_of_records
from pinwarden.issuances import PastIssuance

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
LE, DIGICERT = "O=Let's Encrypt", "O=DigiCert Inc"


def tried(history: Sequence[tuple[str, int]], *records: str) -> CAABacktest:
    """Issuers, and how many days ago each issued for example.com."""
    policy = policy_of_records({"example.com": [parse_presentation(each) for each in records]})
    past = [
        PastIssuance(
            names=("example.com",),
            issuer=issuer,
            not_before=AT - timedelta(days=ago),
            not_after=AT + timedelta(days=90 - ago),
            source="test",
        )
        for issuer, ago in history
    ]
    return backtest_policy(policy, past, load_issuers(), RFC8659, AT)


def told(result: CAABacktest) -> Backtested:
    return Backtested(
        kind="intent",
        policy="the policy that is meant",
        names=("example.com",),
        sources=("store",),
        since=AT - timedelta(days=365),
        by_date=False,
        profile="rfc8659",
        result=result,
        sets={},
        failures=(),
        notes=(),
    )


def classes(picture: ET.Element, name: str) -> list[str]:
    return [each.get("class", "") for each in picture.iter(name)]


def drawn(result: CAABacktest, width: float = 960.0) -> ET.Element:
    return ET.fromstring(written(draw_issuances(result, "key", width)))


ONLY_LE = '0 issue "letsencrypt.org"'


def test_a_mark_for_each_issuance() -> None:
    """A tick for what is allowed, a cross for what is refused, a question mark for the rest."""
    history = [(LE, 10), (LE, 100), (DIGICERT, 50), ("O=Tiny CA", 70)]
    assert sorted(classes(drawn(tried(history, ONLY_LE)), "circle")) == [
        *("disc bad", "disc ok", "disc ok", "disc unknown"),
    ]


def test_what_falls_together_is_one_mark() -> None:
    """A thousand renewals of one day are one tick, and no refusal hides behind a tick."""
    history = [(LE, 100)] * 1000 + [(LE, 10)]
    result = tried(history, ONLY_LE)
    assert classes(drawn(result), "circle") == ["disc ok", "disc ok"]
    assert f"Let's Encrypt: {1001:,} allowed" in "".join(drawn(result).itertext())


def test_more_cas_than_rows() -> None:
    """The worst have a row each, the others one together."""
    history = [(f"O=Tiny CA {number}", number + 1) for number in range(20)]
    picture = drawn(tried(history, ONLY_LE))
    text = "".join(picture.itertext())
    assert "8 other CAs" in text
    assert len(classes(picture, "circle")) == 20


@pytest.mark.parametrize("width", [960.0, 340.0])
def test_nothing_leaves_the_picture(width: float) -> None:
    """Marks of the first and the last day stand within the frame."""
    picture = drawn(tried([(LE, 0), (LE, 364)], ONLY_LE), width)
    places = [float(each.get("cx", "nan")) for each in picture.iter("circle")]
    assert all(6 <= place <= width - 6 for place in places)


def test_foreign_text_stays_text() -> None:
    """Markup and control characters in an issuer's name reach the page as characters."""
    page = backtest_page(told(tried([("O=</svg><script>x</script>\x1b\u202e", 5)], ONLY_LE)))
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_what_is_told_of_a_replaced_certificate() -> None:
    """Its names have a newer one that is allowed, so that its renewal may not be meant."""
    result = tried([(DIGICERT, 40), (LE, 20)], ONLY_LE)
    first, *_ = warnings(told(result))
    assert first.endswith("; its names have a newer certificate that is allowed")
    assert headline(told(result)).startswith("the policy that is meant would have refused 1 of 2")


def test_long_histories_are_cut_for_people() -> None:
    """Twenty certificates are read, the newest first, and the number of the others is said."""
    history = [(DIGICERT, number + 1) for number in range(50)]
    text = backtest_text(told(tried(history, ONLY_LE)))
    assert "  and 30 older ones (see --json)" in text
    assert text.index("2026-11-23  DigiCert") < text.index("2026-11-04  DigiCert")
    assert "2026-11-03  DigiCert" not in text


def test_no_advice_where_a_record_would_not_help() -> None:
    """A critical property that nobody understands refuses whoever else is named."""
    result = tried([(DIGICERT, 40)], ONLY_LE, '128 tbs "unknown"')
    assert not any("there must be a record" in each for each in warnings(told(result)))
