"""Past issuances for people and programs: a line, and the JSON of `docs/history.md`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from pinwarden.issuances import PastIssuance
from pinwarden.names import display

__all__ = ["issuance_json", "issuance_line"]

_MOST_SHOWN = 3
_MOST_ITEMS = 1000
_LONGEST_TEXT = 1000


def issuance_line(issuance: PastIssuance, told: Sequence[PastIssuance], at: datetime) -> str:
    """One issuance on one line: validity, names, issuer, who tells of it."""
    names = ", ".join(display(name) for name in issuance.names[:_MOST_SHOWN]) or "(no names)"
    more = len(issuance.names) - _MOST_SHOWN
    state = "revoked" if issuance.revoked else "ended" if issuance.not_after < at else "valid"
    issuer = display(issuance.issuer, 200) or "issuer not told"
    tellers = ", ".join(dict.fromkeys(each.source for each in told))
    return (
        f"{issuance.not_before:%Y-%m-%d} to {issuance.not_after:%Y-%m-%d}  {state:<7}  "
        f"{names}{f' and {more} more' if more > 0 else ''}  ({issuer})  [{tellers}]"
    )


def issuance_json(issuance: PastIssuance, told: Sequence[PastIssuance]) -> dict[str, object]:
    """One issuance as an object, in the members of a sighting where it has them."""
    return {
        "kind": "certificate",
        "tbs_sha256": _hex(issuance.tbs_sha256),
        "names": _cut_all(issuance.names),
        "names_total": len(issuance.names),
        "issuer": _cut(issuance.issuer),
        "issuer_spki_sha256": _base64(issuance.issuer_spki_sha256),
        "issuer_domains": _cut_all(issuance.issuer_domains),
        "serial": _cut(issuance.serial),
        "not_before": _moment(issuance.not_before),
        "not_after": _moment(issuance.not_after),
        "spki_sha256": _base64(issuance.spki_sha256),
        "certificate_sha256": _hex(issuance.certificate_sha256),
        "seen": _moment(issuance.seen),
        "revoked": issuance.revoked,
        "problems": _cut_all(issuance.problems),
        "sources": [
            {"source": each.source, "reference": _cut(each.reference)}
            for each in told[:_MOST_ITEMS]
        ],
    }


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _cut_all(texts: Sequence[str]) -> list[str]:
    return [_cut(text) for text in texts[:_MOST_ITEMS]]


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
