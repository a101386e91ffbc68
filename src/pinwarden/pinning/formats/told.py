"""Generated code hands failures to a function of the application, and sends nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from pinwarden.pinning.formats.export import Loss, LossKind
from pinwarden.pinning.policy import PinPolicy

__all__ = ["reports_are_told"]


def reports_are_told(policies: Iterable[PinPolicy]) -> list[Loss]:
    """The loss of each policy whose reports somebody has to send."""
    return [
        Loss(
            LossKind.REPORTS,
            policy.host,
            "failures are handed to the function for reports, which sends nothing by itself",
        )
        for policy in policies
        if policy.report_uri
    ]
