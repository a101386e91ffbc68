"""`pinwarden caa check`: whether a CA may issue for a name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import click

from pinwarden.caa.climb import CAAName, RelevantSet
from pinwarden.caa.evaluate import (
    CAAVerdict,
    Decision,
    Purpose,
    Reason,
    Request,
    evaluate_caa,
)
from pinwarden.caa.lookup import Lookup
from pinwarden.caa.profiles import PROFILES, Profile, profile_named
from pinwarden.cli.caa.asking import Answer, Asking, asking_from, asking_options, policies
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.caa.lines import Lines
from pinwarden.cli.output import ExitCode, say
from pinwarden.cli.reading import json_option, parse_moment
from pinwarden.errors import ConfigError, quoted
from pinwarden.findings import CAA_RESOLVERS_DISAGREE, CAA_UNKNOWN_CA, Finding
from pinwarden.render import listed_finding_json
from pinwarden.render.caa import (
    decision_json,
    decision_line,
    decision_text,
    records_of,
    resolver_json,
    shown_name,
)

_MOST_KNOWN = 4096
# Longer names than that stand out of the column.
_WIDEST = 40
_LEAST_FAVOURABLE_FIRST = (CAAVerdict.DENIED, CAAVerdict.UNKNOWN, CAAVerdict.ALLOWED)


@dataclass(frozen=True, slots=True)
class _Case:
    """One question about every name: who, how, and by which reading of the rules."""

    issuer: str
    issuers: tuple[str, ...]
    wildcard: bool
    account_uri: str | None
    method: str | None
    purpose: Purpose
    profile: Profile
    at: str
    findings: tuple[Finding, ...]
    # Decisions about sets that govern many names, by the identity of the answer that holds
    # the set; the answer is kept with it, so that no other takes its place in memory.
    _known: dict[tuple[int, bool], tuple[Lookup, Decision]] = field(default_factory=dict)

    def decide(self, name: CAAName, found: RelevantSet) -> Decision:
        """The decision about one name."""
        if name.problem:
            return Decision(CAAVerdict.UNKNOWN, Reason.NAME_UNREADABLE, None, (name.problem,))
        lookup = found.lookup
        if lookup is None or lookup.name == name.name:
            return evaluate_caa(found, self.request(name), self.profile)
        known = self._known.get((id(lookup), name.wildcard))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = lookup, evaluate_caa(found, self.request(name), self.profile)
            self._known[id(lookup), name.wildcard] = known
        return known[1]

    def request(self, name: CAAName) -> Request:
        """The request for one name."""
        return Request(
            name=name.name,
            wildcard=name.wildcard,
            issuers=self.issuers,
            account_uri=self.account_uri,
            method=self.method,
            purpose=self.purpose,
        )


@click.command()
@asking_options
@click.option(
    "--issuer",
    "issuers",
    multiple=True,
    required=True,
    metavar="CA",
    help="The CA's domain in CAA, such as letsencrypt.org; repeat it to give all its domains.",
)
@click.option("--wildcard", is_flag=True, help="Ask for *.NAME.")
@click.option("--account-uri", metavar="URI", help="The account at the CA (RFC 8657).")
@click.option("--method", metavar="LABEL", help="The validation method, such as dns-01 (RFC 8657).")
@click.option(
    "--purpose",
    type=click.Choice([str(purpose) for purpose in Purpose]),
    default=str(Purpose.TLS),
    show_default=True,
    help="What the certificate is for.",
)
@click.option(
    "--profile",
    "profile_name",
    type=click.Choice(PROFILES),
    default=PROFILES[0],
    show_default=True,
    help="Whose reading: the RFCs, the Baseline Requirements at a date, or Let's Encrypt.",
)
@click.option("--at", metavar="DATE", help="Rules in force at a date [default: now].")
@click.option("--known-tags", metavar="TAGS", help="The only properties the CA understands: a,b,c.")
@click.option(
    "--supports-rfc8657/--no-supports-rfc8657",
    default=None,
    help="Whether the CA honours accounturi and validationmethods.",
)
@click.option(
    "--br-label-aliases/--no-br-label-aliases",
    default=None,
    help="Whether ca-tbr-19 stands for http-01, and so on.",
)
@click.option(
    "--lookup-failure",
    type=click.Choice(["never", "br"]),
    help="Whether a failed lookup can be permission, as the Baseline Requirements say.",
)
@click.option(
    "--failure-outside-ca/--failure-inside-ca",
    default=None,
    help="Where a failed lookup failed.",
)
@click.option("--retried/--not-retried", default=None, help="Whether it was retried.")
@click.option(
    "--zone-insecure/--zone-signed", default=None, help="Whether the zone is proven without DNSSEC."
)
@json_option
@click.option("--quiet", is_flag=True, help="No output: the exit code is the answer.")
def check(as_json: bool, quiet: bool, **options: Any) -> int:
    """Whether a CA may issue for each NAME.

    Climbs from the name (`*.` before it makes it a wildcard name) to the CAA records in
    force and evaluates them for one CA. Exit code 0: allowed for every name; 1: not
    so for some, or it cannot be told.
    """
    asking = asking_from(options, any_list=True)
    case = _case(options)
    for finding in () if quiet else case.findings:
        say(f"note: {finding.message}")
    if case.wildcard:
        asking = replace(asking, names=tuple(map(_as_wildcard, asking.names)))
    return asyncio.run(_check(asking, case, as_json, quiet))


def _as_wildcard(name: CAAName) -> CAAName:
    return name if name.is_ip or name.problem else replace(name, wildcard=True)


def _case(options: dict[str, Any]) -> _Case:
    at = parse_moment(options["at"], "--at") or datetime.now(UTC)
    purpose = Purpose(options["purpose"])
    issuer, *others = map(str.strip, options["issuers"])
    issuers, findings = _all_domains(issuer, tuple(others))
    return _Case(
        issuer=issuer,
        issuers=issuers,
        wildcard=options["wildcard"],
        account_uri=options["account_uri"],
        method=options["method"],
        purpose=purpose,
        profile=_profile(options, purpose, at),
        at=at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        findings=findings,
    )


def _profile(options: dict[str, Any], purpose: Purpose, at: datetime) -> Profile:
    profile = profile_named(options["profile_name"], at)
    if options["known_tags"] is None:
        # A CA that is asked for such a certificate understands what restricts it.
        profile = profile.knowing(purpose.tag)
    else:
        profile = replace(profile, known_tags=_tags(options["known_tags"]))
    switches = (
        "supports_rfc8657",
        "br_label_aliases",
        "lookup_failure",
        "failure_outside_ca",
        "retried",
        "zone_insecure",
    )
    given = {name: options[name] for name in switches if options[name] is not None}
    return replace(profile, **given)


def _tags(text: str) -> frozenset[str]:
    """The tags of a list; raises `ConfigError` for what no property can be called."""
    tags = [tag for tag in map(str.strip, text.split(",")) if tag]
    for tag in tags:
        if not (tag.isascii() and tag.isalnum()):
            raise ConfigError(
                f"--known-tags {quoted(tag)}: is not made of letters and digits",
                hint="such as --known-tags issue,issuewild,iodef",
            )
    return frozenset(map(str.lower, tags))


def _all_domains(
    issuer: str, others: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The CA's other domains, as the user lists them or else as the issuer map has them."""
    if not all((issuer, *others)):
        raise ConfigError("--issuer: is empty", hint="such as --issuer letsencrypt.org")
    if others:
        return (issuer, *others), ()
    known = current_issuers()
    owner = known.owner_of(issuer)
    if owner is not None:
        more = sorted({*owner.domains, *owner.recognised} - {issuer.lower().removesuffix(".")})
        return (issuer, *more), ()
    message = f"{quoted(issuer)} is not a CA domain that is known here"
    near = known.nearest(issuer)
    if near:
        message += f"; perhaps {near[0].domain} is meant ({near[0].owner.name})"
    return (issuer,), (Finding(kind=CAA_UNKNOWN_CA, subject=issuer, message=message),)


async def _check(asking: Asking, case: _Case, as_json: bool, quiet: bool) -> int:
    all_allowed = True
    at_length = len(asking.names) == 1
    width = min(_WIDEST, max(len(shown_name(name)) for name in asking.names))
    # The parts of a JSON line that are the same for every name.
    fixed = {"issuer": case.issuer, "profile": case.profile.name, "at": case.at}
    with Lines() as lines:
        async for answer in policies(asking, quiet=quiet):
            decisions = [case.decide(answer.name, found) for found in answer.found]
            decision, found = _least_favourable(decisions, answer.found)
            all_allowed &= decision.allowed
            if quiet:
                continue
            findings = case.findings
            if len(decisions) > 1:
                findings += _disagreement(answer, decisions, asking.resolvers)
            if as_json:
                line = decision_json(answer.name, decision, found) | fixed
                line["resolvers"] = _by_resolver(asking, answer, decisions)
                line["findings"] = [listed_finding_json(each) for each in findings]
                lines.add_json(line)
                continue
            for finding in findings[len(case.findings) :]:
                say(f"note: {finding.message}")
            if at_length:
                lines.add(decision_text(answer.name, case.issuer, decision, found).rstrip("\n"))
            else:
                lines.add(decision_line(answer.name, decision, width))
    return ExitCode.OK if all_allowed else ExitCode.FINDINGS


def _least_favourable(
    decisions: Sequence[Decision], found: Sequence[RelevantSet]
) -> tuple[Decision, RelevantSet]:
    """A CA needs permission from every place it looks from (Baseline Requirements 3.2.2.9)."""
    if len(decisions) == 1:
        return decisions[0], found[0]
    return min(
        zip(decisions, found, strict=True),
        key=lambda pair: _LEAST_FAVOURABLE_FIRST.index(pair[0].verdict),
    )


def _by_resolver(
    asking: Asking, answer: Answer, decisions: Sequence[Decision]
) -> list[dict[str, object]]:
    if len(decisions) < 2:
        return []
    return [
        dict(resolver_json(who, decision, found))
        for who, decision, found in zip(asking.resolvers, decisions, answer.found, strict=True)
    ]


def _disagreement(
    answer: Answer, decisions: Sequence[Decision], resolvers: Sequence[str]
) -> tuple[Finding, ...]:
    """A finding if the resolvers see different policies, whatever these come to."""
    seen = {
        (decision.verdict, found.relevant_name, frozenset(records_of(found.lookup)))
        for decision, found in zip(decisions, answer.found, strict=True)
    }
    if len(seen) == 1:
        return ()
    name = shown_name(answer.name)
    views = "; ".join(
        f"{quoted(who)}: {decision.verdict}, {decision.reason}"
        + (f" at {decision.relevant_name}" if decision.relevant_name else "")
        for who, decision in zip(resolvers, decisions, strict=True)
    )
    message = f"{name}: the resolvers do not agree ({views})"
    return (Finding(kind=CAA_RESOLVERS_DISAGREE, subject=name, message=message),)
