"""What `pinwarden ct prove` tells a person, and a program."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.audit.proof_findings import BREACHES
from pinwarden.audit.prove import SCTProof
from pinwarden.cli.ct.folding import fold
from pinwarden.cli.ct.target_view import (
    MOST_SHOWN,
    finding_lines,
    findings_json,
    note_lines,
    target_json,
)
from pinwarden.cli.ct.targets import TargetCertificate
from pinwarden.cli.output import ExitCode
from pinwarden.ct.evidence import outcome_word
from pinwarden.ct.inclusion import (
    HeadForm,
    Missing,
    NotYet,
    Outcome,
    ProofHead,
    Proven,
    Unprovable,
)
from pinwarden.ct.log import Log
from pinwarden.ct.sct import SCT
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.moments import to_moment
from pinwarden.render.account import counted
from pinwarden.render.ct import promise_json

__all__ = ["ProvenTarget", "head_json", "log_name", "proofs_json", "proofs_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenTarget:
    """One certificate of a target, and what its logs have shown; `bundle` is where it is kept."""

    target: TargetCertificate
    at: datetime
    proofs: tuple[SCTProof, ...] = ()
    findings: tuple[Finding, ...] = ()
    bundle: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether every SCT, at least one, is proven."""
        return bool(self.proofs) and all(isinstance(each.outcome, Proven) for each in self.proofs)

    @property
    def code(self) -> ExitCode:
        """Its part in the exit code: a silent log leaves it unfinished, all else is no proof."""
        if self.target.certificate is None:
            return self.target.code
        if not self.proofs and self.target.beside_problem and not self.findings:
            return ExitCode.UNFINISHED
        unproven = [each.outcome for each in self.proofs if not isinstance(each.outcome, Proven)]
        silent = [
            each for each in unproven if isinstance(each, Unprovable) and each.cause.is_unfinished
        ]
        if not self.proofs or self.target.sct_problems or len(silent) < len(unproven):
            return ExitCode.FINDINGS
        return ExitCode.UNFINISHED if unproven else ExitCode.OK


def proofs_text(shown: ProvenTarget, width: int = 0) -> str:
    """What the logs have shown of one certificate, in lines for a person, as `fold` has them."""
    return "\n".join(fold(_lines(shown), width)) + "\n"


def _lines(shown: ProvenTarget) -> Iterator[str]:
    target = shown.target
    name = display(target.target)
    if target.certificate is None:
        yield f"{name}: not asked: {display(target.problem, MOST_SHOWN)}"
    elif not shown.proofs:
        known = " are known" if target.beside_problem else ""
        yield f"{name}: NOT PROVEN: no SCTs{known}"
    else:
        proven = sum(isinstance(each.outcome, Proven) for each in shown.proofs)
        verdict = "proven" if shown.is_proven else "NOT PROVEN" if not proven else "proven in part"
        yield f"{name}: {verdict}: in {_counts(shown.proofs, proven)}"
        for each in shown.proofs:
            yield (
                f"  {outcome_word(each.outcome):<9}  {log_name(each.judged.log, each.judged.sct)}"
                f"  {each.judged.source}"
            )
            yield f"  {'':<9}  {_told(each.outcome)}"
    yield from finding_lines(shown.findings)
    yield from note_lines(target.notes)
    if shown.bundle:
        shows = any(isinstance(each.outcome, Proven | Missing) for each in shown.proofs)
        label = "evidence" if shows else "bundle, which shows nothing yet"
        yield f"  {label}: {display(shown.bundle, MOST_SHOWN)}"


def _counts(proofs: Sequence[SCTProof], proven: int) -> str:
    """In how many logs: several SCTs of one log are the promise of one."""
    logs = {_log_of(each) for each in proofs}
    held = {_log_of(each) for each in proofs if isinstance(each.outcome, Proven)}
    scts = "" if len(logs) == len(proofs) else f", by {proven} of {counted(len(proofs), 'SCT')}"
    return f"{len(held)} of {counted(len(logs), 'log')}{scts}"


def _log_of(proof: SCTProof) -> bytes:
    sct = proof.judged.sct
    return proof.judged.raw if sct is None else sct.log_id


def log_name(log: Log | None, sct: SCT | None) -> str:
    """A log for a person: its name, or its id; and that it is a test log, if it is."""
    if log is not None and log.description:
        return display(log.description, 60) + (" (test log)" if log.log_type == "test" else "")
    return "an unreadable SCT" if sct is None else f"log {b64encode(sct.log_id).decode()}"


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Proven):
        return f"entry {outcome.index}, {_head_text(outcome.head)}"
    if isinstance(outcome, Missing):
        return f"{BREACHES[outcome.breach]}; {_head_text(outcome.head)}"
    if isinstance(outcome, NotYet):
        return f"the log has until {to_moment(outcome.until)}; {_head_text(outcome.head)}"
    return display(outcome.reason, MOST_SHOWN) or f"{outcome.cause}"


def _head_text(proof_head: ProofHead) -> str:
    """A tree head in a few words."""
    head = proof_head.head
    if proof_head.form is HeadForm.LOG_LIST:
        return f"final tree head of the log list, {head.size:,} entries"
    return f"signed tree head of {to_moment(head.timestamp)}, {head.size:,} entries"


def proofs_json(shown: ProvenTarget) -> dict[str, Any]:
    """What the logs have shown, as docs/command-line-ct.md has it."""
    target = shown.target
    return {
        **target_json(target, shown.at),
        "proven": shown.is_proven,
        "scts": [_proof_json(each) for each in shown.proofs],
        "bundle": shown.bundle or None,
        "findings": findings_json(shown.findings),
        "notes": list(target.notes),
        "problem": target.problem,
    }


def _proof_json(proof: SCTProof) -> dict[str, Any]:
    sct, log, outcome = proof.judged.sct, proof.judged.log, proof.outcome
    return {
        **promise_json(sct, log, proof.judged.source),
        "outcome": outcome_word(outcome),
        "index": outcome.index if isinstance(outcome, Proven | Missing) else None,
        "head": None if isinstance(outcome, Unprovable) else head_json(outcome.head),
        "breach": str(outcome.breach) if isinstance(outcome, Missing) else None,
        "until": to_moment(outcome.until) if isinstance(outcome, NotYet) else None,
        "cause": str(outcome.cause) if isinstance(outcome, Unprovable) else None,
        "reason": _told(outcome),
    }


def head_json(proof_head: ProofHead) -> dict[str, Any]:
    """A tree head; `timestamp` is null where nobody says when it was made."""
    head = proof_head.head
    signed = proof_head.form.is_signed
    return {
        "form": str(proof_head.form),
        "size": head.size,
        "root": b64encode(head.root).decode(),
        "timestamp": to_moment(head.timestamp) if signed else None,
    }
