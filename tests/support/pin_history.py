"""Certificates of one host over time, told by a source that knows the issuing key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pinwarden.issuances import PastIssuance
from pinwarden.pinning.backtest import KeysAbove
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_samples import certificate

HOST = "api.example.com"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 1, tzinfo=UTC)
ROOT = certificate("root", ca=True)
INTERMEDIATE = certificate("int", "root", ca=True)
ABOVE = KeysAbove([INTERMEDIATE, ROOT])


def key(name: str) -> bytes:
    """The hash of a made-up key."""
    return Pin.of_spki(name.encode()).spki_sha256


def issued(
    begins: int, days: int, leaf: str | None = "own", names: Sequence[str] = (HOST,)
) -> PastIssuance:
    """A certificate by `int` from a day of the test on, of which the issuing key is known."""
    return PastIssuance(
        names=tuple(names),
        issuer="CN=Example E1",
        not_before=START + begins * DAY,
        not_after=START + (begins + days) * DAY - SECOND,
        source="test",
        serial=f"{begins:x}{days:x}",
        spki_sha256=None if leaf is None else key(leaf),
        issuer_spki_sha256=pin_of_certificate(INTERMEDIATE).spki_sha256,
    )
