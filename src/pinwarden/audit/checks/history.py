"""Whether the monitor saw this certificate in the logs, and which others are valid."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, finding, nothing_served
from pinwarden.audit.facts import Facts, Unknown
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.names import display
from pinwarden.store.contract import StoredSighting

__all__ = ["check_history"]

_MOST_NAMED = 5


def check_history(facts: Facts) -> Iterator[Outcome]:
    """Compare what is served with what was seen in the logs."""
    history = facts.history
    if isinstance(history, Unknown):
        if not facts.shown and history.failed:
            yield nothing_served(Area.HISTORY)
        else:
            yield NotChecked(Area.HISTORY, "in the logs", history.why, failed=history.failed)
        return
    if history.seen is not None:
        logs = ", ".join(display(each.log, 60) for each in history.seen.references[:_MOST_NAMED])
        words = f"seen on {history.seen.first_seen:%Y-%m-%d}"
        yield Passed(Area.HISTORY, "in the logs", f"{words} in {logs}" if logs else words)
    elif history.expected_in:
        words = (
            f"the served certificate was not met in {display(history.expected_in, 80)}, which "
            "signed an SCT for it and was read past that time"
        )
        yield finding(findings.AUDIT_NOT_IN_CT, facts, words)
    else:
        why = (
            "the monitor has seen no certificate for the host; is it watched?"
            if not history.known
            else "it is not among those seen, and may be older than the watch or too new"
        )
        yield NotChecked(Area.HISTORY, "in the logs", why, failed=False)
    if history.others:
        count = len(history.others)
        words = f"{count} other certificates for the host are valid now: "
        if count == 1:
            words = "another certificate for the host is valid now: "
        words += "; ".join(map(_shown, history.others[:_MOST_NAMED]))
        yield finding(findings.AUDIT_OTHERS_VALID, facts, words)
    elif history.known:
        yield Passed(Area.HISTORY, "others", "no other certificate that was seen is valid now")


def _shown(stored: StoredSighting) -> str:
    sighting = stored.sighting
    until = "" if sighting.not_after is None else f" until {sighting.not_after:%Y-%m-%d}"
    return f"by {display(sighting.issuer, 80)}{until} (sighting {stored.id})"
