"""The work of `pinwarden ct policy`: find, judge, evaluate for now and later, tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pinwarden.cli.ct.folding import terminal_width
from pinwarden.cli.ct.policy_view import PolicedTarget, policies_json, policy_text
from pinwarden.cli.ct.target_options import TargetOptions
from pinwarden.cli.ct.targets import TargetCertificate, find_targets, judge_target
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.output import answer, answer_json, say_notes, worst
from pinwarden.cli.reading import parse_moment
from pinwarden.ct.log import LogList
from pinwarden.ct.policy import (
    BrowserPolicy,
    PolicyResult,
    evaluate_policy,
    forecast_policy,
    list_dates,
)
from pinwarden.ct.policy_findings import findings_of_policies
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import CertificateView

__all__ = ["Order", "check_policies"]

_PRIVATE = (
    "browsers ask for SCTs only where a CA in their own root program issued; "
    "the certificate of a private CA needs none"
)
_FILE_ALONE = (
    "a file shows the SCTs in the certificate; those that a server hands over beside it "
    "are seen by asking the host, or named with --sct-list and --ocsp"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `policy` was asked for; no policy means all of them."""

    targets: tuple[str, ...]
    policies: tuple[str, ...]
    log_lists: tuple[str, ...]
    at: str | None
    found: TargetOptions
    as_json: bool


def check_policies(order: Order) -> int:
    """Evaluate every target, tell about each, and return the exit code."""
    now = datetime.now(UTC)
    at = parse_moment(order.at, "--at") or now
    asked = set(map(BrowserPolicy, order.policies)) or set(BrowserPolicy)
    policies = [each for each in BrowserPolicy if each in asked]
    # The age of the lists is counted from today: what is asked about the past is no excuse.
    logs = kept_logs(order.log_lists, now)
    say_notes(logs.notes)
    codes = set()
    for target in find_targets(order.targets, order.found, at):
        policed = _check(target, policies, logs.logs, at)
        codes.add(policed.code)
        if order.as_json:
            answer_json(policies_json(policed))
        else:
            answer(policy_text(policed, terminal_width()))
    return worst(codes)


def _check(
    target: TargetCertificate, policies: Sequence[BrowserPolicy], logs: LogList, at: datetime
) -> PolicedTarget:
    certificate = target.certificate
    if certificate is None:
        return PolicedTarget(target=target, at=at)
    scts = judge_target(target, logs, at)
    lists, complete = list_dates(logs.logs), not target.beside_problem
    results = tuple(
        evaluate_policy(each, certificate, scts, at, lists, complete=complete) for each in policies
    )
    forecasts = tuple(
        forecast
        for each in policies
        for forecast in forecast_policy(each, certificate, scts, at, lists, complete=complete)
    )
    return PolicedTarget(
        target=target,
        at=at,
        results=results,
        forecasts=forecasts,
        findings=findings_of_policies(results, forecasts, scts, target.target),
        notes=tuple(_notes(target, certificate, results, scts, at)),
    )


def _notes(
    target: TargetCertificate,
    certificate: CertificateView,
    results: Sequence[PolicyResult],
    scts: Sequence[JudgedSCT],
    at: datetime,
) -> Iterator[str]:
    yield from target.notes
    yield from target.sct_problems
    yield from _validity_notes(certificate, at)
    for result in results:
        yield from result.notes
    if not any(each.status is SCTStatus.VALID for each in scts):
        yield _PRIVATE
    unmet = any(each.compliant is not True for each in results)
    if unmet and target.verified is None and all(each.source == "embedded" for each in scts):
        yield _FILE_ALONE


def _validity_notes(certificate: CertificateView, at: datetime) -> Iterator[str]:
    """Logs are rejected in time when all that they took has expired."""
    try:
        start, end = certificate.not_before, certificate.not_after
    except MalformedError as error:
        yield f"when the certificate is valid cannot be read: {error}"
        return
    if at > end:
        yield (
            f"the certificate ended on {end:%Y-%m-%d}; programs drop logs of certificates that "
            "have expired: ask with --at for a day on which it was valid"
        )
    elif at < start:
        yield f"the certificate begins on {start:%Y-%m-%d}, which is later"
