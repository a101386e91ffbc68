"""Code in another language that carries a whole set along: what its writers have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pinwarden.pinning.formats.export import Export, Loss, LossKind
from pinwarden.pinning.formats.fitting import EVERYTHING, fit
from pinwarden.pinning.formats.rows import Row, rows_of
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy, UnpinnedHosts

__all__ = ["filled_in", "generated", "reports_are_told"]


def generated(name: str, code: str, pins: PinSet, lines: Callable[[Row], Iterable[str]]) -> Export:
    """One file of code that says everything a set says; `lines` are those of one policy."""
    policies, losses = fit(pins, EVERYTHING)
    losses += reports_are_told(policies)
    text = filled_in(code, pins, (line for row in rows_of(policies) for line in lines(row)))
    return Export(files=((name, text),), losses=tuple(losses))


def filled_in(code: str, pins: PinSet, lines: Iterable[str]) -> str:
    """The code with the policies, and with what becomes of other hosts, in their places."""
    refuse = pins.unpinned_hosts is UnpinnedHosts.REFUSE
    return code.replace("%REFUSE%", "true" if refuse else "false").replace(
        "%ROWS%", "\n".join(lines)
    )


def reports_are_told(policies: Iterable[PinPolicy]) -> list[Loss]:
    """The loss of each policy whose reports somebody has to send.

    Generated code hands failures to a function of the application, and sends nothing.
    """
    return [
        Loss(
            LossKind.REPORTS,
            policy.host,
            "failures are handed to the function for reports, which sends nothing by itself",
        )
        for policy in policies
        if policy.report_uri
    ]
