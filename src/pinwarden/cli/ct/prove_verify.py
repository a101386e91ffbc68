"""The work of `pinwarden ct prove --verify`: bundles checked against the logs known here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pinwarden.cli.ct.folding import fold, terminal_width
from pinwarden.cli.ct.prove_view import head_json, log_name
from pinwarden.cli.ct.target_view import MOST_SHOWN, finding_lines, findings_json
from pinwarden.cli.files import read_file
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.output import ExitCode, answer, answer_json, say_notes
from pinwarden.ct.evidence import LARGEST_FILE
from pinwarden.ct.evidence_check import (
    CheckedEvidence,
    CheckedSCT,
    EvidenceVerdict,
    verify_evidence,
)
from pinwarden.ct.evidence_reading import parse_evidence
from pinwarden.ct.inclusion import Missing, Proven, Unprovable
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.findings import CT_BUNDLE_REFUSED, CT_NOT_INCLUDED, Finding
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment
from pinwarden.render.ct import promise_json
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["verify_bundles"]

_MOST_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """One bundle; `checked` is None, and `problem` says why, where it cannot be read."""

    bundle: str
    checked: CheckedEvidence | None
    findings: tuple[Finding, ...]
    problem: str = ""

    @property
    def verdict(self) -> str:
        if self.checked is None or self.checked.is_refused:
            return "refused"
        return "proven" if self.checked.is_proven else "not-proven"


def verify_bundles(
    *,
    targets: tuple[str, ...],
    log_lists: tuple[str, ...],
    as_json: bool,
    output: Path | None,
    **_unused: Any,
) -> int:
    """Check all bundles, tell about each, and return the exit code; nobody is asked."""
    if output is not None:
        raise ConfigError("--verify and --output: a bundle is checked and not made")
    logs = kept_logs(log_lists, datetime.now(UTC))
    # An old list knows the logs of old bundles as well as a new one.
    say_notes(logs.notes)
    code = ExitCode.OK
    for target in targets:
        data = read_file(Path(target), LARGEST_FILE)
        try:
            checked = verify_evidence(parse_evidence(data), logs.logs)
        except MalformedError as error:
            shown = _Checked(
                bundle=target,
                checked=None,
                findings=(_refused(target, str(error)),),
                problem=str(error),
            )
        else:
            shown = _Checked(
                bundle=target, checked=checked, findings=tuple(_findings(checked, target))
            )
        if shown.verdict != "proven":
            code = ExitCode.FINDINGS
        if as_json:
            answer_json(_json(shown))
        else:
            answer("\n".join(fold(_lines(shown), terminal_width())) + "\n")
    return code


def _refused(bundle: str, why: str) -> Finding:
    return Finding(kind=CT_BUNDLE_REFUSED, subject=bundle, message=why)


def _findings(checked: CheckedEvidence, bundle: str) -> Iterator[Finding]:
    if checked.chain_problem:
        yield _refused(bundle, f"its chain does not hold: {checked.chain_problem}")
    for each in checked.scts:
        name = log_name(each.log, each.sct)
        if each.verdict is EvidenceVerdict.REFUSED:
            yield _refused(bundle, f"{name}: {each.reason}")
        elif each.verdict is EvidenceVerdict.BROKEN_PROMISE:
            # What is merely claimed is no finding: whoever makes up a bundle can claim it.
            yield Finding(kind=CT_NOT_INCLUDED, subject=bundle, message=f"{name}: {each.reason}")


def _lines(shown: _Checked) -> Iterator[str]:
    name = display(shown.bundle)
    if shown.checked is None:
        yield f"{name}: REFUSED: {display(shown.problem, MOST_SHOWN)}"
        yield from finding_lines(shown.findings)
        return
    evidence = shown.checked.evidence
    words = {"proven": "proven", "refused": "REFUSED", "not-proven": "NOT PROVEN"}
    yield f"{name}: {words[shown.verdict]}: {_certificate_text(evidence.certificate)}"
    for each in shown.checked.scts:
        yield f"  {each.verdict:<14}  {log_name(each.log, each.sct)}  {each.evidence.source}"
        yield f"  {'':<14}  {display(each.reason, MOST_SHOWN)}"
    if not shown.checked.scts:
        yield "  no SCT is in it"
    if any(each.verdict is EvidenceVerdict.SELF_VOUCHED for each in shown.checked.scts):
        yield "  to prove it, name the list that has these logs: --log-list FILE"
    yield from finding_lines(shown.findings)
    yield (
        f"  made {to_moment(evidence.made)} by {display(evidence.by, 100)} "
        f"of {display(evidence.subject, 200)}, as it says itself"
    )


def _certificate_text(der: bytes) -> str:
    view = view_certificate(der)
    names = _names(view)
    shown = ", ".join(display(each, 100) for each in names[:_MOST_NAMES]) or "no names"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"certificate of {shown}{more}, {_dates(view)}"


def _names(view: CertificateView) -> tuple[str, ...]:
    found = view.identifiers()
    return tuple(dict.fromkeys((*found.dns, *map(str, found.ips))))


def _dates(view: CertificateView) -> str:
    try:
        return f"{view.not_before:%Y-%m-%d} to {view.not_after:%Y-%m-%d}"
    except MalformedError:
        return "of unreadable dates"


def _json(shown: _Checked) -> dict[str, Any]:
    checked = shown.checked
    value: dict[str, Any] = {
        "bundle": shown.bundle,
        "verdict": shown.verdict,
        "subject": None,
        "made": None,
        "by": None,
        "certificate_sha256": None,
        "names": [],
        "chain_problem": "",
        "scts": [],
    }
    if checked is not None:
        evidence = checked.evidence
        view = view_certificate(evidence.certificate)
        value |= {
            "subject": evidence.subject,
            "made": to_moment(evidence.made),
            "by": evidence.by,
            "certificate_sha256": (view.fingerprint or b"").hex(),
            "names": list(_names(view)),
            "chain_problem": checked.chain_problem,
            "scts": [_sct_json(each) for each in checked.scts],
        }
    return {
        **value,
        "findings": findings_json(shown.findings),
        "problem": shown.problem,
    }


def _sct_json(each: CheckedSCT) -> dict[str, Any]:
    outcome = each.evidence.outcome
    return {
        **promise_json(each.sct, each.log, each.evidence.source),
        "verdict": str(each.verdict),
        "reason": each.reason,
        "index": outcome.index if isinstance(outcome, Proven | Missing) else None,
        "head": None if isinstance(outcome, Unprovable) else head_json(outcome.head),
    }
