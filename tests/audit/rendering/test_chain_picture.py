"""The picture of a chain: what was sent, what is missing, what is pinned, in shape and words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.audit.rendering.chain_picture import draw_chain, name_of, validity_of
from pinwarden.audit.rendering.markup import written
from pinwarden.audit.report import ReportedChain
from support.audit_samples import AT, HOSTILE, audit_of, broken_audit, good_chain, pin, reported


def _drawn(chain: ReportedChain, **pinned: frozenset[str]) -> str:
    return written(draw_chain(chain, "key", AT, **pinned))


def _account(svg: str) -> str:
    return re.findall(r"<desc[^>]*>(.*?)</desc>", svg)[0]


def _words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_good_chain() -> None:
    """Three boxes, the root's with a broken line, since it was not sent."""
    svg = _drawn(good_chain())
    assert len(re.findall(r'class="box"', svg)) == 2
    assert len(re.findall(r'class="box unsent"', svg)) == 1
    words = _words(svg)
    assert [w for w in words if w in {"sent", "not sent"}] == ["sent", "sent", "not sent"]
    assert [w for w in words if w in {"www.example.com", "R11", "Example Root X1"}] == [
        "www.example.com",
        "R11",
        "Example Root X1",
    ]
    assert words.count("issued by") == 2
    assert "verified for this host" in words
    assert pin("CN=www.example.com") in words


def test_account_says_the_same() -> None:
    """Whoever does not see the picture hears what is in it."""
    account = _account(_drawn(good_chain(), pinned=frozenset({pin("CN=www.example.com")})))
    assert account.startswith(
        "From the leaf up: leaf www.example.com, ECDSA P-256, 2026-10-02 to 2026-12-31, "
        "sent by the server, pinned; intermediate R11, "
    )
    assert account.endswith("not sent by the server. The chain is verified for this host.")


def test_pinned_key_has_a_plate() -> None:
    """One plate for the one key that the policy names."""
    svg = _drawn(good_chain(), pinned=frozenset({pin("CN=www.example.com"), "sha256//else"}))
    assert _words(svg).count("pinned") == 1
    assert "pinned" not in _words(_drawn(good_chain()))


def test_issuer_that_was_not_sent_has_an_empty_box() -> None:
    """The leaf alone, and who issued it, whom the server did not send."""
    svg = _drawn(broken_audit().chains[0])
    assert "box unsent ghost" in svg
    assert "not sent by the server" in _words(svg)
    assert "CN=R11,O=Example Encrypt,C=US" in _words(svg)
    assert "not verified for this host" in _words(svg)
    assert "its issuer CN=R11,O=Example Encrypt,C=US is not sent" in _account(svg)


def test_self_signed_certificate_misses_nobody() -> None:
    """It is its own issuer."""
    alone = reported(subject="CN=self", issuer="CN=self")
    chain = ReportedChain(addresses=(), verified=False, problem="", certificates=(alone,))
    assert "ghost" not in _drawn(chain)


def test_certificate_out_of_place_is_told() -> None:
    """Where the next is not the issuer, the step between them says so."""
    leaf, other, root = good_chain().certificates
    chain = replace(good_chain(), verified=False, certificates=(leaf, root, other))
    assert "is not issued by" in _words(_drawn(chain))


def test_endless_chain_is_counted() -> None:
    """Twelve boxes, and the number of the others."""
    chain = replace(good_chain(), certificates=good_chain().certificates * 10)
    svg = _drawn(chain)
    assert len(re.findall(r'class="box', svg)) == 12
    assert "and 18 more certificates" in _words(svg)


def test_chain_of_nothing() -> None:
    """An empty chain is a picture too."""
    empty = ReportedChain(addresses=(), verified=False, problem="", certificates=())
    assert "no certificate" in _account(_drawn(empty))


@pytest.mark.parametrize(
    ("subject", "names", "name"),
    [
        ("CN=a.example,O=x", (), "a.example"),
        ("O=x,cn=a.example", (), "a.example"),
        ("O=x", ("b.example",), "b.example"),
        ("", ("b.example",), "b.example"),
        ("O=x", (), "O=x"),
        ("", (), "(no name)"),
    ],
)
def test_name(subject: str, names: tuple[str, ...], name: str) -> None:
    """The common name, or else the first name, or the subject."""
    assert name_of(reported(subject=subject, names=names)) == name


def test_validity_in_words() -> None:
    """Before, during and after; and where it cannot be read."""
    assert validity_of(reported(), AT) == "2026-10-02 to 2026-12-31"
    assert validity_of(reported(days=3), AT) == "2026-10-02 to 2026-10-05, expired"
    later = reported(start=AT + timedelta(days=2))
    assert validity_of(later, AT) == "2026-11-26 to 2027-02-24, not valid yet"
    assert validity_of(reported(start=None), AT) == "validity not readable"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_text_stays_in_its_box(text: str) -> None:
    """What is too long is cut to the width of the box."""
    words = _words(_drawn(audit_of(text).chains[0]))
    assert max(map(len, words)) <= 90


@given(
    st.lists(
        st.tuples(
            st.datetimes(timezones=st.just(UTC)) | st.none(),
            st.datetimes(timezones=st.just(UTC)) | st.none(),
        ),
        max_size=4,
    ),
    st.datetimes(timezones=st.just(UTC)),
)
def test_any_dates_can_be_drawn(
    dates: list[tuple[datetime | None, datetime | None]], at: datetime
) -> None:
    """Also those that end before they begin, and the first and last there are."""
    certificates = tuple(
        replace(reported(), not_before=start, not_after=end) for start, end in dates
    )
    chain = replace(good_chain(), certificates=certificates)
    assert written(draw_chain(chain, "key", at)).endswith("</svg>")
