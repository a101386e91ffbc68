"""`pinwarden caa show`: the records in force for a name, and why those."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import click

from pinwarden.caa.climb import RelevantSet, why_not_applicable
from pinwarden.caa.contact import parse_iodef
from pinwarden.caa.evaluate import Purpose
from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.caa.parameters import (
    ACCOUNT_URI,
    VALIDATION_METHODS,
    label_problem,
    parse_validation_methods,
)
from pinwarden.caa.permitted import Permitted, Whom, can_be_satisfied, evaluate_permitted
from pinwarden.caa.profiles import RFC8659
from pinwarden.caa.record import CAARecord
from pinwarden.caa.value import IssueValue, Parameter, parse_issue_value
from pinwarden.cli.caa.asking import Answer, Asking, asking_from, asking_options, policies
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.caa.lines import Lines
from pinwarden.cli.output import ExitCode, say
from pinwarden.cli.reading import json_option
from pinwarden.errors import MalformedError, quoted
from pinwarden.names import display
from pinwarden.render.caa import (
    lookup_json,
    place_text,
    record_text,
    records_of,
    steps_text,
)

# tag -> what a person reads behind "authorises ..."
_ISSUE_TAGS = {
    "issue": "",
    "issuewild": ", for wildcard names",
    "issuemail": ", for S/MIME",
    "issuevmc": ", for mark certificates",
}
_CONTACTS = {"contactemail": "by mail", "contactphone": "by telephone"}
_TAG_ORDER = (*_ISSUE_TAGS, "iodef", *_CONTACTS)
_MOST_RECORDS = 50
_LONGEST = 500
# label of the text -> (key of the JSON, wildcard, purpose)
_KINDS = {
    "plain names": ("may_issue", False, Purpose.TLS),
    "wildcard names": ("may_issue_wildcard", True, Purpose.TLS),
    "S/MIME": ("smime", False, Purpose.SMIME),
    "mark certificates": ("vmc", False, Purpose.VMC),
}


@click.command()
@asking_options
@json_option
def show(as_json: bool, **options: Any) -> int:
    """The CAA records in force for each NAME, where they stand, and who may issue by them.

    Exit code 0 if every name could be looked up, 1 if not.
    """
    return asyncio.run(_show(asking_from(options), as_json))


async def _show(asking: Asking, as_json: bool) -> int:
    issuers = current_issuers()
    failed = False
    with Lines() as lines:
        async for answer in policies(asking):
            failed |= any(found.failed for found in answer.found)
            if as_json:
                lines.add_json(_answer_json(asking, answer, issuers))
                continue
            lines.add("\n".join(_answer_text(answer.found[0], issuers)) + "\n")
            views = {(each.relevant_name, *records_of(each.lookup)) for each in answer.found}
            if len(views) > 1:
                say(
                    f"note: {answer.name.name}: the resolvers do not agree; shown is what "
                    f"{quoted(asking.resolvers[0])} says"
                )
    return ExitCode.FINDINGS if failed else ExitCode.OK


def _answer_json(asking: Asking, answer: Answer, issuers: IssuerMap) -> dict[str, object]:
    line = {"name": answer.name.name, **_found_json(answer.found[0], issuers)}
    line["resolvers"] = [
        {"resolver": who, **_found_json(found, issuers)}
        for who, found in zip(asking.resolvers, answer.found, strict=False)
        if len(answer.found) > 1
    ]
    return line


def _found_json(found: RelevantSet, issuers: IssuerMap) -> dict[str, object]:
    lookup = found.lookup
    return {
        "relevant_name": found.relevant_name,
        "failed": found.failed,
        "problem": lookup.problem if lookup else "",
        "properties": [_property_json(each, issuers) for each in _ordered(found)],
        "broken": [record_text(each) for each in lookup.broken] if lookup else [],
        **{
            key: _permitted_json(
                evaluate_permitted(found, wildcard=wildcard, purpose=purpose), issuers
            )
            for key, wildcard, purpose in _KINDS.values()
        },
        "ttl": lookup.ttl if lookup else None,
        "aliases": lookup.aliases if lookup else (),
        "dnssec": found.dnssec,
        "steps": list(map(lookup_json, found.steps)),
    }


def _ordered(found: RelevantSet) -> list[CAARecord]:
    """The records in one order always, since servers give a set in any: by tag, then by text."""
    records = found.lookup.records if found.lookup else ()

    def key(record: CAARecord) -> tuple[int, str]:
        tag = record.property
        rank = _TAG_ORDER.index(tag) if tag in _TAG_ORDER else len(_TAG_ORDER)
        return rank, record_text(record)

    return sorted(records, key=key)


def _property_json(record: CAARecord, issuers: IssuerMap) -> dict[str, object]:
    value = _issue_value(record)
    return {
        "flags": record.flags,
        "critical": record.critical,
        "tag": _text(record.tag),
        "value": _text(record.value),
        "presentation": record_text(record),
        "issuer": _issuer_json(value.issuer, issuers) if value and value.issuer else None,
        "parameters": _parameters_json(value) if value else [],
    }


def _issuer_json(domain: str, issuers: IssuerMap) -> dict[str, object]:
    owner = issuers.owner_of(domain)
    return {"domain": domain, "owner": owner.name if owner else None}


def _parameters_json(value: IssueValue) -> list[dict[str, object]]:
    return [{"tag": each.tag, "value": each.value} for each in value.parameters]


def _permitted_json(permitted: Permitted, issuers: IssuerMap) -> dict[str, object]:
    return {
        "whom": permitted.whom,
        "issuers": [
            {**_issuer_json(value.issuer, issuers), "parameters": _parameters_json(value)}
            for value in permitted.values
            if value.issuer
        ],
    }


def _issue_value(record: CAARecord) -> IssueValue | None:
    if record.property not in _ISSUE_TAGS:
        return None
    try:
        return parse_issue_value(record.value)
    except MalformedError:
        return None


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def _answer_text(found: RelevantSet, issuers: IssuerMap) -> Iterator[str]:
    yield found.name
    lookup = found.lookup
    outside = why_not_applicable(found.name)
    if outside is not None:
        yield f"  {outside}"
    elif found.failed:
        assert lookup is not None
        yield f"  the lookup at {lookup.name} failed, so no CA has permission"
    elif lookup is None:
        yield "  no CAA records here or at any parent: any CA may issue"
    else:
        yield f"  policy at {place_text(found)}"
        for record in _ordered(found)[:_MOST_RECORDS]:
            yield f"    {display(record_text(record), _LONGEST)}"
            yield from (f"        {display(line, _LONGEST)}" for line in _meaning(record, issuers))
        if len(lookup.records) > _MOST_RECORDS:
            yield f"    and {len(lookup.records) - _MOST_RECORDS:,} more"
        for broken in lookup.broken[:_MOST_RECORDS]:
            yield f"    {display(record_text(broken), _LONGEST)}"
            yield f"        cannot be read: {display(broken.problem)}"
        yield ""
        for label, (_, wildcard, purpose) in _KINDS.items():
            permitted = evaluate_permitted(found, wildcard=wildcard, purpose=purpose)
            yield f"  {label + ':':19}{display(_who(permitted, issuers), _LONGEST)}"
    if found.steps:
        yield ""
        yield "  asked:"
        yield from (f"    {line}" for line in steps_text(found.steps))


def _who(permitted: Permitted, issuers: IssuerMap) -> str:
    if permitted.whom is Whom.LISTED:
        return ", ".join(
            dict.fromkeys(_ca(v.issuer, issuers) for v in permitted.values if v.issuer)
        )
    words = {
        Whom.ANYONE: "any CA",
        Whom.NOBODY: "no CA",
        Whom.UNKNOWN: "cannot be told, since a record cannot be read",
    }
    return words[permitted.whom]


def _ca(domain: str, issuers: IssuerMap) -> str:
    owner = issuers.owner_of(domain)
    return f"{domain} ({owner.name})" if owner else f"{domain} (not a known CA)"


def _meaning(record: CAARecord, issuers: IssuerMap) -> Iterator[str]:
    """A record in words, one thought a line."""
    tag = record.property
    if record.critical and tag not in RFC8659.known_tags:
        yield "critical: a CA that does not know this property must refuse every certificate"
    if tag not in _ISSUE_TAGS:
        yield _meaning_beside(record)
        return
    what = _ISSUE_TAGS[tag]
    try:
        value = parse_issue_value(record.value)
    except MalformedError as error:
        yield f"authorises nobody{what}: {error}"
        if error.hint:
            yield error.hint
        return
    if value.issuer is None:
        yield f"authorises nobody{what}"
        return
    yield f"authorises {_ca(value.issuer, issuers)}{what}"
    yield from map(_parameter_meaning, value.parameters)
    if not can_be_satisfied(record, value, tag == "issuewild"):
        yield "no request can satisfy this, so the record authorises nobody"


def _meaning_beside(record: CAARecord) -> str:
    """What a record is for that authorises nobody and forbids nothing by its value."""
    tag = record.property
    if tag == "iodef":
        try:
            return f"a CA may report a refused request to {parse_iodef(record.value)}"
        except MalformedError as error:
            return f"a CA cannot report a refused request: {error}"
    if tag in _CONTACTS:
        return f"a contact for validation {_CONTACTS[tag]}"
    return "no known property" if record.critical else "no known property, so CAs ignore it"


def _parameter_meaning(parameter: Parameter) -> str:
    tag = parameter.tag.lower()
    if tag == ACCOUNT_URI:
        return f"only for the account {parameter.value}"
    if tag != VALIDATION_METHODS:
        return f"{parameter.tag}={parameter.value}: what it means is this CA's own affair"
    try:
        labels = parse_validation_methods(parameter.value)
    except MalformedError as error:
        return f"by no method at all: {error}"
    return f"only by {', '.join(map(_label_text, labels))}" if labels else "by no method at all"


def _label_text(label: str) -> str:
    problem = label_problem(label)
    return f"{label} ({problem})" if problem else label
