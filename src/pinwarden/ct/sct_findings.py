"""Findings about SCTs: one for each kind of fault, however many SCTs have it.

That too few count, or none, is for the policies to say; only where none is looked for does
`finding_of_no_scts` say so.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from pinwarden import findings
from pinwarden.ct.presented import Flaw, JudgedSCT
from pinwarden.findings import Finding, FindingKind
from pinwarden.names import display

__all__ = ["finding_of_no_scts", "findings_of_scts", "sct_name"]

_KINDS = {
    Flaw.MIMIC_LOG: findings.CT_SCT_MIMIC_LOG,
    Flaw.BAD_SIGNATURE: findings.CT_SCT_BAD_SIGNATURE,
    Flaw.FROM_THE_FUTURE: findings.CT_SCT_FROM_THE_FUTURE,
    Flaw.UNREADABLE: findings.CT_SCT_UNREADABLE,
    Flaw.UNKNOWN_VERSION: findings.CT_SCT_UNREADABLE,
    Flaw.UNKNOWN_LOG: findings.CT_SCT_UNKNOWN_LOG,
    Flaw.OUTSIDE_INTERVAL: findings.CT_SCT_OUTSIDE_INTERVAL,
    Flaw.AFTER_RETIREMENT: findings.CT_SCT_AFTER_RETIREMENT,
}
# A list may hold two hundred, and a message is one line.
_MOST_NAMED = 5
_MOST_KEPT = 20


def findings_of_scts(
    judged: Sequence[JudgedSCT], subject: str, problems: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """What is wrong with the SCTs of a certificate, the gravest first.

    `subject` is whom the findings are about, a host or a file; `problems` are the lists that
    `collect_scts` could not read. An SCT counts for its gravest flaw alone. What could not be
    checked, and what is merely noteworthy about a log, gives none.
    """
    by_kind: dict[FindingKind, list[JudgedSCT]] = {}
    for each in judged:
        kind = next((_KINDS[flaw] for flaw in each.flaws if flaw in _KINDS), None)
        if kind is not None:
            by_kind.setdefault(kind, []).append(each)
    lost = tuple(problems)
    if lost:
        by_kind.setdefault(findings.CT_SCT_UNREADABLE, [])
    return findings.by_severity(
        _finding(kind, scts, subject, lost if kind is findings.CT_SCT_UNREADABLE else ())
        for kind, scts in by_kind.items()
    )


def finding_of_no_scts(subject: str) -> Finding:
    """What there is to say of a certificate that came without any SCT."""
    return Finding(
        kind=findings.CT_NO_SCTS,
        subject=subject,
        message="no SCT is in the certificate, and none came with it",
    )


def sct_name(judged: JudgedSCT) -> str:
    """An SCT in a few words, safe to show: its log, or what stands for that, and how it came."""
    if judged.log is not None:
        log = display(judged.log.description, 80) or b64encode(judged.log.log_id).decode()
    elif judged.sct is not None:
        log = f"log {b64encode(judged.sct.log_id).decode()}"
    else:
        log = "no log that can be read"
    return f"{log} ({judged.source})"


def _finding(
    kind: FindingKind, scts: Sequence[JudgedSCT], subject: str, problems: Sequence[str]
) -> Finding:
    by_reason: dict[str, list[str]] = {}
    for each in scts:
        by_reason.setdefault(each.reason, []).append(sct_name(each))
    words = [_words(names, reason) for reason, names in by_reason.items()]
    words.extend(problems)
    shown = "; ".join(words[:_MOST_NAMED])
    if len(words) > _MOST_NAMED:
        shown += f"; and {len(words) - _MOST_NAMED} more"
    logs = [b64encode(each.sct.log_id).decode() for each in scts if each.sct is not None]
    return Finding(
        kind=kind,
        subject=subject,
        message=shown,
        details=tuple(("log", each) for each in dict.fromkeys(logs[:_MOST_KEPT])),
        evidence=tuple(("sct", each.raw) for each in scts[:_MOST_KEPT]),
    )


def _words(names: Sequence[str], reason: str) -> str:
    named = ", ".join(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        named += f" and {len(names) - _MOST_NAMED} more"
    return f"{'SCT' if len(names) == 1 else f'{len(names)} SCTs'} of {named}: {reason}"
