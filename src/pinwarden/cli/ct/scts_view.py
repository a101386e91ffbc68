"""What `pinwarden ct scts` tells a person, and a program."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.render.account import counted
from pinwarden.render.ct import operator_of, sct_json

__all__ = ["JudgedTarget", "scts_json", "scts_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTarget:
    """One certificate of a target with its SCTs, as of a time."""

    target: TargetCertificate
    at: datetime
    scts: tuple[JudgedSCT, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def code(self) -> ExitCode:
        """Its part in the exit code: unknown is never a pass."""
        if self.target.certificate is None:
            return self.target.code
        if not self.scts and self.target.beside_problem and not self.findings:
            return ExitCode.UNFINISHED
        valid = bool(self.scts) and all(each.status is SCTStatus.VALID for each in self.scts)
        if not valid or any(each.severity.is_serious for each in self.findings):
            return ExitCode.FINDINGS
        return self.target.code


def scts_text(judged: JudgedTarget, width: int = 0) -> str:
    """The SCTs of one certificate, in lines for a person, as `fold` has them."""
    return "\n".join(fold(_lines(judged), width)) + "\n"


def _lines(judged: JudgedTarget) -> Iterator[str]:
    target = judged.target
    if target.certificate is None:
        yield f"{display(target.target)}: not checked: {display(target.problem, MOST_SHOWN)}"
    else:
        yield f"{display(target.target)}: {_summary(judged)}"
        width = max((len(_log_name(each)) for each in judged.scts), default=0)
        for each in judged.scts:
            yield from _sct_lines(each, width)
    yield from finding_lines(judged.findings)
    yield from note_lines(target.notes)


def _summary(judged: JudgedTarget) -> str:
    if not judged.scts:
        return "no SCTs are known" if judged.target.beside_problem else "no SCTs"
    counts = Counter(each.status for each in judged.scts)
    parts = [f"{counts[status]} {status}" for status in SCTStatus if counts[status]]
    text = f"{counted(len(judged.scts), 'SCT')}: {', '.join(parts)}"
    operators = {operator_of(each) for each in judged.scts if each.status is SCTStatus.VALID} - {""}
    return f"{text}; {counted(len(operators), 'log operator')}" if operators else text


def _sct_lines(sct: JudgedSCT, width: int) -> Iterator[str]:
    dated = "" if sct.sct is None else f"{sct.sct.timestamp:%Y-%m-%d %H:%M}Z"
    yield f"  {sct.status:<11}  {_log_name(sct):<{width}}  {sct.source:<8}  {dated}".rstrip()
    if sct.reason:
        yield f"  {'':<11}  {display(sct.reason, MOST_SHOWN)}"


def _log_name(sct: JudgedSCT) -> str:
    """The log for a person: its name and operator, or its id."""
    if sct.log is not None:
        return display(sct.log.description or b64encode(sct.log.log_id).decode(), 60)
    return "unreadable" if sct.sct is None else b64encode(sct.sct.log_id).decode()


def scts_json(judged: JudgedTarget, about_lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """The SCTs of one certificate, as docs/command-line-ct.md has it.

    `about_lists` is what there is to say of the log lists, which a person reads once and a
    program finds among the notes.
    """
    target = judged.target
    return {
        **target_json(target, judged.at),
        "scts": [sct_json(each) for each in judged.scts],
        "findings": findings_json(judged.findings),
        "notes": [*target.notes, *about_lists],
        "problem": target.problem,
    }
