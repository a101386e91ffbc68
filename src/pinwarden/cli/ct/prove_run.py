"""The work of `pinwarden ct prove`: find, ask the logs, tell, and write bundles."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pinwarden.audit.proof_findings import findings_of_proofs
from pinwarden.audit.prove import SCTProof, prove_scts
from pinwarden.cli.ct.folding import terminal_width
from pinwarden.cli.ct.prove_bundles import Bundles
from pinwarden.cli.ct.prove_view import ProvenTarget, proofs_json, proofs_text
from pinwarden.cli.ct.target_options import TargetOptions
from pinwarden.cli.ct.targets import TargetCertificate, find_targets, judge_target
from pinwarden.cli.kept_logs import kept_logs
from pinwarden.cli.output import (
    ExitCode,
    answer,
    answer_json,
    on_terminal,
    say,
    say_error,
    say_notes,
    worst,
)
from pinwarden.config import CONTACT_VARIABLE, default_config_file, load_config
from pinwarden.ct.evidence import FORMAT
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.ct.sct_findings import finding_of_no_scts, findings_of_scts
from pinwarden.errors import ConfigError, quoted
from pinwarden.names import display
from pinwarden.net.address import verify_url
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log
from pinwarden.render.account import counted

__all__ = ["Order", "prove_targets"]

# A person waits: who does not answer in this time is called silent.
_LIMITS = Limits(timeout=30, connect_timeout=10, attempts=3, patience=60, backoff_most=5)
# Targets about which logs are asked at the same time; how much one log is asked is its gate's.
_AT_ONCE = 8
_FORMAT_WITHIN = 100


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
    say_notes(logs.notes)
    _verify_no_bundle(order.targets)
    targets = find_targets(order.targets, order.found, now)
    judged = [judge_target(each, logs.logs, now) for each in targets]
    bundles = Bundles(order.output, targets, force=order.force)
    if bundles.on_stdout and order.as_json:
        raise ConfigError("--output - and --json: both are for stdout")
    contact = order.contact or os.environ.get(CONTACT_VARIABLE) or _configured_contact()
    _verify_contact(judged, contact)
    codes: set[ExitCode] = set()

    def tell(number: int, shown: ProvenTarget) -> None:
        try:
            shown = bundles.keep(number, shown)
        except ConfigError as error:
            # What the logs said is not lost with the file.
            say_error(error)
            codes.add(ExitCode.USAGE)
        codes.add(shown.code)
        if order.as_json:
            answer_json(proofs_json(shown))
        elif bundles.on_stdout:
            for line in proofs_text(shown).splitlines():
                say(line)
        else:
            answer(proofs_text(shown, terminal_width()))

    asyncio.run(_ask(targets, judged, contact, tell))
    if ExitCode.USAGE in codes:
        return ExitCode.USAGE
    return worst(codes)


def _verify_no_bundle(targets: Sequence[str]) -> None:
    """Raises `ConfigError` for a bundle, whose owner forgot an option."""
    for each in targets:
        if _is_bundle(each):
            raise ConfigError(
                f"file {quoted(each)}: is an evidence bundle, and no certificate",
                hint="--verify checks it",
            )


def _is_bundle(target: str) -> bool:
    try:
        # A device or a pipe gives what it has once, so only a file is looked at.
        if target == "-" or not Path(target).is_file():
            return False
        with Path(target).open("rb") as file:
            return FORMAT.encode() in file.read(_FORMAT_WITHIN)
    except (OSError, ValueError):
        return False


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
    tell: Callable[[int, ProvenTarget], None],
) -> None:
    """Ask about several targets at a time, and tell of each in the order given."""
    slots = asyncio.Semaphore(_AT_ONCE)
    async with HTTPClient(contact, limits=_LIMITS) as http:

        async def one(target: TargetCertificate, scts: tuple[JudgedSCT, ...]) -> ProvenTarget:
            proofs: tuple[SCTProof, ...] = ()
            if target.certificate is not None:
                async with slots:
                    if scts and on_terminal():
                        say(f"asking about {display(target.target)} ({counted(len(scts), 'SCT')})")
                    proofs = await prove_scts(
                        target.certificate,
                        target.issuer,
                        scts,
                        lambda log: open_log(log, http),
                        now=lambda: datetime.now(UTC),
                    )
            return _proven(target, scts, proofs)

        asked = [
            asyncio.create_task(one(target, scts))
            for target, scts in zip(targets, judged, strict=True)
        ]
        try:
            for number, each in enumerate(asked):
                tell(number, await each)
        finally:
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)


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
