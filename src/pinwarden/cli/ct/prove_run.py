"""The work of `pinwarden ct prove`: find, ask the logs, tell, and write bundles."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pinwarden import __version__
from pinwarden.audit.proof_findings import evidence_of_proofs, findings_of_proofs
from pinwarden.audit.prove import SCTProof, prove_scts
from pinwarden.cli.ct.prove_view import ProvenTarget, proofs_json, proofs_text
from pinwarden.cli.ct.target_options import TargetOptions
from pinwarden.cli.ct.targets import TargetCertificate, find_targets
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.output import ExitCode, answer, answer_json, on_terminal, say
from pinwarden.cli.pin.writing import write_file
from pinwarden.cli.table import counted
from pinwarden.config import CONTACT_VARIABLE, default_config_file, load_config
from pinwarden.ct.log import LogList
from pinwarden.ct.presented import JudgedSCT, SCTStatus, judge_scts
from pinwarden.ct.sct_findings import finding_of_no_scts, findings_of_scts
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.net.address import verify_url
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log

__all__ = ["Order", "prove_targets"]

# A person waits: who does not answer in this time is called silent.
_LIMITS = Limits(timeout=30, connect_timeout=10, attempts=3, patience=60, backoff_most=5)
_PROGRAM = f"Pinwarden {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `prove` was asked for."""

    targets: tuple[str, ...]
    output: Path | None
    force: bool
    contact: str | None
    log_lists: tuple[str, ...]
    found: TargetOptions
    as_json: bool


def prove_targets(order: Order) -> int:
    """Prove the SCTs of all targets, tell about each, and return the exit code."""
    now = datetime.now(UTC)
    logs = kept_logs(order.log_lists, now)
    for note in logs.notes:
        say(f"note: {note}")
    targets = find_targets(order.targets, order.found, now)
    judged = [_judge(each, logs.logs, now) for each in targets]
    if order.output is not None:
        _verify_output(order.output, targets, force=order.force)
    contact = order.contact or os.environ.get(CONTACT_VARIABLE) or _configured_contact()
    _verify_contact(judged, contact)
    codes = set()
    for each in asyncio.run(_ask(targets, judged, contact)):
        shown = each if order.output is None else _written(each, order.output, force=order.force)
        codes.add(shown.code)
        if order.as_json:
            answer_json(proofs_json(shown))
        else:
            answer(proofs_text(shown))
    return ExitCode.FINDINGS if ExitCode.FINDINGS in codes else max(codes)


def _judge(target: TargetCertificate, logs: LogList, at: datetime) -> tuple[JudgedSCT, ...]:
    if target.certificate is None:
        return ()
    return judge_scts(target.certificate, target.issuer, target.presented, logs, at)


def _configured_contact() -> str | None:
    file = default_config_file()
    return load_config(file).contact if file.is_file() else None


def _verify_contact(judged: Sequence[Sequence[JudgedSCT]], contact: str | None) -> None:
    """Raises `ConfigError` before anybody is asked: it is one mistake, and no log's."""
    for each in (sct for scts in judged for sct in scts):
        if each.status is SCTStatus.VALID and each.log is not None and each.log.url:
            verify_url(each.log.url, contact)


async def _ask(
    targets: Sequence[TargetCertificate],
    judged: Sequence[tuple[JudgedSCT, ...]],
    contact: str | None,
) -> list[ProvenTarget]:
    """One target after the other; the logs of each at the same time."""
    found = []
    async with HTTPClient(contact, limits=_LIMITS) as http:
        for target, scts in zip(targets, judged, strict=True):
            proofs: tuple[SCTProof, ...] = ()
            if target.certificate is not None:
                if scts and on_terminal():
                    say(f"asking {counted(len(scts), 'log')} about {display(target.target)}")
                proofs = await prove_scts(
                    target.certificate,
                    target.issuer,
                    scts,
                    lambda log: open_log(log, http),
                    now=lambda: datetime.now(UTC),
                )
            found.append(_proven(target, scts, proofs))
    return found


def _proven(
    target: TargetCertificate, scts: Sequence[JudgedSCT], proofs: tuple[SCTProof, ...]
) -> ProvenTarget:
    findings = (
        *findings_of_proofs(proofs, target.target),
        *findings_of_scts(scts, target.target, target.sct_problems),
    )
    unknown = scts or target.sct_problems or target.beside_problem
    if target.certificate is not None and not unknown:
        findings = (finding_of_no_scts(target.target),)
    return ProvenTarget(target=target, at=datetime.now(UTC), proofs=proofs, findings=findings)


def _verify_output(output: Path, targets: Sequence[TargetCertificate], *, force: bool) -> None:
    """Raises `ConfigError` for a place that cannot be written, before logs are asked."""
    if output.is_dir():
        return
    certificates = sum(each.certificate is not None for each in targets)
    if certificates > 1:
        raise ConfigError(
            f"--output {quoted(str(output))}: there are {certificates} certificates",
            hint="name a directory that exists, for a bundle of each",
        )
    if output.exists() and not force:
        raise ConfigError(
            f"file {quoted(str(output))}: is there already", hint="--force overwrites it"
        )


def _written(shown: ProvenTarget, output: Path, *, force: bool) -> ProvenTarget:
    target = shown.target
    certificate = target.certificate
    if certificate is None or certificate.der is None or not shown.proofs:
        return shown
    try:
        text = evidence_of_proofs(
            target.target,
            certificate,
            target.issuer,
            target.chain,
            shown.proofs,
            at=shown.at,
            by=_PROGRAM,
        ).to_json()
    except MalformedError as error:
        notes = (*target.notes, f"no bundle was written: {error}")
        return replace(shown, target=replace(target, notes=notes))
    file = output
    if output.is_dir():
        fingerprint = certificate.fingerprint or b""
        file = output / f"{_file_name(target.target)}-{fingerprint.hex()[:16]}.json"
    write_file(file, text.decode("ascii"), force=force)
    return replace(shown, bundle=str(file))


def _file_name(target: str) -> str:
    """A target as part of a file's name: it may be a URL, or a path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", target).strip("._-")[-80:] or "certificate"
