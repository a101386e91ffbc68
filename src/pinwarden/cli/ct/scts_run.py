"""The work of `pinwarden ct scts`: find, verify, tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pinwarden.cli.ct.folding import terminal_width
from pinwarden.cli.ct.scts_view import JudgedTarget, scts_json, scts_text
from pinwarden.cli.ct.target_options import TargetOptions
from pinwarden.cli.ct.targets import TargetCertificate, find_targets, judge_target
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.output import answer, answer_json, say_notes, worst
from pinwarden.cli.reading import parse_moment
from pinwarden.ct.log import LogList
from pinwarden.ct.sct_findings import finding_of_no_scts, findings_of_scts
from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import CertificateView

__all__ = ["Order", "show_scts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `scts` was asked for."""

    targets: tuple[str, ...]
    log_lists: tuple[str, ...]
    at: str | None
    found: TargetOptions
    as_json: bool


def show_scts(order: Order) -> int:
    """Judge the SCTs of all targets, tell about each, and return the exit code."""
    now = datetime.now(UTC)
    at = parse_moment(order.at, "--at") or now
    # The age of the lists is counted from today: what is asked about the past is no excuse.
    logs = kept_logs(order.log_lists, now)
    about_lists = logs.notes
    say_notes(about_lists)
    codes = set()
    for target in find_targets(order.targets, order.found, at):
        judged = _judge(target, logs.logs, at)
        codes.add(judged.code)
        if order.as_json:
            answer_json(scts_json(judged, about_lists))
        else:
            answer(scts_text(judged, terminal_width()))
    return worst(codes)


def _judge(target: TargetCertificate, logs: LogList, at: datetime) -> JudgedTarget:
    if target.certificate is None:
        return JudgedTarget(target=target, at=at)
    judged = judge_target(target, logs, at)
    found = findings_of_scts(judged, target.target, target.sct_problems)
    nothing = not judged and not target.sct_problems and not target.beside_problem
    if nothing and _should_have_scts(target.certificate):
        found = (finding_of_no_scts(target.target), *found)
    return JudgedTarget(target=target, at=at, scts=judged, findings=found)


def _should_have_scts(certificate: CertificateView) -> bool:
    """Precertificates have none yet, and the certificates of CAs need none."""
    try:
        return not certificate.is_precertificate and not certificate.is_ca
    except MalformedError:
        return True
