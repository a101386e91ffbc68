"""The work of `pinwarden caa make`: intents, records, what to know of them, and the text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.formats.registry import FORMATS, find_form
from pinwarden.caa.intent import Intent, generate_records
from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.caa.labels import is_at_or_below
from pinwarden.caa.lint.sets import lint_records
from pinwarden.caa.lint.setting import Setting
from pinwarden.caa.presentation import to_presentation
from pinwarden.caa.proposal import Evidence, Proposal, propose_policies, topmost_names
from pinwarden.caa.record import to_rdata
from pinwarden.cli.caa.evidence import (
    evidence_of_files,
    evidence_of_sightings,
    names_of_items,
)
from pinwarden.cli.caa.intent_options import Meant, beside, intent_for
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.caa.make_history import Past, past_of, told_costs
from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.reading import parse_moment, read_store, store_url
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.findings import CAA_BINDING_NOT_MANDATORY, Finding, Severity
from pinwarden.names import display, normalise_name
from pinwarden.render import listed_finding_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `make` was asked for."""

    names: tuple[str, ...]
    meant: Meant
    form: str
    ttl: int
    origin: str | None
    from_sightings: bool
    from_certificates: tuple[Path, ...]
    from_history: tuple[str, ...]
    contact: str | None
    key_file: Path | None
    since: str | None
    resolvers: tuple[str, ...]
    store: str | None
    config_file: Path | None
    as_json: bool

    @property
    def from_evidence(self) -> bool:
        """Whether certificates say what is meant."""
        return self.from_sightings or bool(self.from_certificates or self.from_history)


def list_forms(*, as_json: bool) -> None:
    """Every form with its description and traps."""
    if as_json:
        forms = [
            {"name": f.name, "description": f.description, "safe": f.safe, "traps": list(f.traps)}
            for f in FORMATS.values()
        ]
        answer_json({"formats": forms})
        return
    width = max(map(len, FORMATS))
    for form in FORMATS.values():
        answer(f"{form.name:<{width}}  {form.description}")
        for trap in form.traps:
            answer(f"{'':<{width}}    {trap}")


def make_records(order: Order) -> int:
    """Make the records that were asked for, say what to know, and answer."""
    form = find_form(order.form)
    issuers = current_issuers()
    at = datetime.now(UTC)
    past = _past(order, issuers, at) if order.from_history else Past()
    proposals = _proposals(order, past, issuers, at) if order.from_evidence else ()
    intents = [beside(each.intent, order.meant) for each in proposals if each.intent is not None]
    if not order.from_evidence:
        intents = [intent_for(name, order.meant) for name in _names(order)]
    sets = _record_sets(intents, order)
    text = form.render(sets) if sets else ""
    findings = [
        finding
        for each in sets
        for finding in lint_records(
            each.records, (), Setting(name=each.name, issuers=issuers, at=at)
        )
    ]
    notes = [*_notes(form, sets, proposals), *told_costs(sets, past, issuers, at)]
    notes += asyncio.run(_alias_notes(sets, order))
    if order.as_json:
        answer_json(_document(form, sets, text, notes, findings, proposals))
    else:
        _tell(text, notes, findings)
    complete = all(each.intent is not None and not each.unmapped for each in proposals)
    return ExitCode.OK if complete else ExitCode.FINDINGS


def _names(order: Order) -> tuple[str, ...]:
    if not order.names:
        raise ConfigError(
            "nothing to make records for",
            hint="such as: pinwarden caa make example.com --ca letsencrypt.org",
        )
    if not order.meant.said_anything:
        raise ConfigError(
            "no policy given: who may issue?", hint="say --ca letsencrypt.org, or --ca none"
        )
    try:
        return tuple(dict.fromkeys(map(normalise_name, order.names)))
    except MalformedError as error:
        hint = error.hint
        if any(name.startswith("*.") for name in order.names):
            hint = "records stand at the domain itself; who may issue wildcards is --wildcard"
        raise ConfigError(str(error), hint=hint) from error


def _past(order: Order, issuers: IssuerMap, at: datetime) -> Past:
    if not order.names:
        raise ConfigError("--from-history: whose history?", hint="give NAME...")
    options = {
        "sources": order.from_history,
        "since": order.since,
        "store": order.store,
        "config_file": order.config_file,
        "contact": order.contact,
        "key_file": order.key_file,
    }
    return past_of(order.names, options, issuers, at)


def _proposals(order: Order, past: Past, issuers: IssuerMap, at: datetime) -> tuple[Proposal, ...]:
    if order.meant.names_cas:
        raise ConfigError(
            "--from-sightings, --from-certificates, --from-history: tell the CAs by themselves"
        )
    evidence = past.evidence + evidence_of_files(order.from_certificates, issuers)
    names = topmost_names(evidence)
    if order.from_sightings:
        since = parse_moment(order.since, "--since")
        seen, items = read_store(
            store_url(order.store, order.config_file),
            lambda store: evidence_of_sightings(store, issuers, at=at, since=since),
        )
        evidence += seen
        names += tuple(name for name in names_of_items(items) if name not in names)
    if order.names:
        try:
            names = tuple(dict.fromkeys(map(normalise_name, order.names)))
        except MalformedError as error:
            raise ConfigError(str(error), hint=error.hint) from error
    if not names:
        raise ConfigError("no certificate was seen", hint="name the files, or `pinwarden watch`")
    return propose_policies(names, evidence)


def _record_sets(intents: Iterable[Intent], order: Order) -> list[RecordSet]:
    try:
        origin = normalise_name(order.origin) if order.origin is not None else None
        made = [(intent.name, generate_records(intent)) for intent in intents]
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    names = [name for name, _ in made]
    return [
        RecordSet(name=name, zone=_zone(name, names, origin), ttl=order.ttl, records=records)
        for name, records in made
    ]


def _zone(name: str, names: Sequence[str], origin: str | None) -> str:
    """The zone as said, or the topmost of the names given that this one is at or below."""
    if origin is not None:
        if not is_at_or_below(name, origin):
            raise ConfigError(f"--origin {origin}: {name} is not in this zone")
        return origin
    return min((each for each in names if is_at_or_below(name, each)), key=len)


def _notes(form: Form, sets: Sequence[RecordSet], proposals: Sequence[Proposal]) -> list[str]:
    notes = [f"{form.name}: {trap}" for trap in form.traps] if sets else []
    if not form.safe and any(b" " in r.value for each in sets for r in each.records):
        notes.append(f"{form.name}: a value has blanks, which may be lost on this way")
    for each in proposals:
        if not each.certificates:
            notes.append(f"{each.name}: no certificate was seen, so nothing is proposed")
        notes += [
            f"{each.name}: {domains[0]} is one of this CA's names; it also goes by "
            + ", ".join(domains[1:])
            for domains in each.choices
        ]
        notes += [
            f"{each.name}: one of these issued a certificate, and which is not known, so all "
            f"are permitted: {', '.join(domains)}"
            for domains in each.doubts
        ]
        notes += [_unmapped_note(each.name, evidence) for evidence in each.unmapped]
    return notes


def _unmapped_note(name: str, evidence: Evidence) -> str:
    return (
        f"{name}: these records would refuse the next certificate from "
        f"{display(evidence.issuer, 200)}, a CA without a known CAA domain "
        f"(serial {evidence.serial or 'unknown'})"
    )


async def _alias_notes(sets: Sequence[RecordSet], order: Order) -> list[str]:
    """A CNAME stands alone (RFC 1034 section 3.6.2): beside one no CAA can be published."""
    if not order.resolvers:
        return []
    from pinwarden.caa.lookup import Outcome
    from pinwarden.cli.caa.asking import Asking, opened_resolvers

    notes = []
    async with opened_resolvers(Asking(names=(), resolvers=order.resolvers)) as resolvers:
        for each in sets:
            for resolver in resolvers:
                lookup = await resolver.look_up(each.name)
                if lookup.aliases:
                    notes.append(
                        f"{each.name}: is an alias of {display(lookup.aliases[0])} and can have no "
                        "records of its own; CAA of the target decides, and where that has none, "
                        f"CAA above {each.name}"
                    )
                    break
                if lookup.outcome is Outcome.FAILED:
                    notes.append(f"{each.name}: could not be asked for: {display(lookup.problem)}")
    return notes


def _worth_saying(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO or finding.kind is CAA_BINDING_NOT_MANDATORY


def _tell(text: str, notes: Sequence[str], findings: Sequence[Finding]) -> None:
    told = [f"{f.subject}: {f.message} [{f.id}]" for f in findings if _worth_saying(f)]
    # Two records of one set often have the same fault.
    for line in dict.fromkeys((*told, *notes)):
        say(line)
    if text:
        answer(text)


def _document(
    form: Form,
    sets: Sequence[RecordSet],
    text: str,
    notes: Sequence[str],
    findings: Sequence[Finding],
    proposals: Sequence[Proposal],
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "format": form.name,
        "text": text,
        "sets": [
            {
                "name": each.name,
                "zone": each.zone,
                "ttl": each.ttl,
                "records": [to_presentation(record) for record in each.records],
                "rdata": [to_rdata(record).hex() for record in each.records],
            }
            for each in sets
        ],
        "findings": [{**listed_finding_json(each), "name": each.subject} for each in findings],
        "notes": list(notes),
    }
    if proposals:
        document["proposals"] = [
            {
                "name": each.name,
                "certificates": each.certificates,
                "unmapped": [
                    {"issuer": u.issuer, "serial": u.serial, "names": list(u.names)}
                    for u in each.unmapped
                ],
            }
            for each in proposals
        ]
    return document
