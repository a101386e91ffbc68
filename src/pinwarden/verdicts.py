"""The judgement on one certificate, wherever it is made."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """The judgement on one certificate seen; unknown is never a pass."""

    AUTHORIZED = "authorized"
    POSSIBLY_AUTHORIZED = "possibly-authorized"
    UNAUTHORIZED = "unauthorized"
    UNKNOWN = "unknown"
