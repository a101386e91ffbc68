"""The work of `pinwarden pin lint`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pinwarden.cli.asking_hosts import Asking, ask_hosts, endpoint_of, endpoint_of_policy
from pinwarden.cli.output import ExitCode, answer, answer_json
from pinwarden.cli.pin.pin_sets import read_set_text
from pinwarden.cli.reading import ignored_findings, parse_moment
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.findings import Finding, where_of
from pinwarden.names import display, normalise_name
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import ServedHost
from pinwarden.pinning.draft import Draft, covering, read_draft
from pinwarden.pinning.host import normalise_host, suffixes
from pinwarden.pinning.lint import LintSetting, lint_draft
from pinwarden.pinning.policy import PinSetError
from pinwarden.pinning.served import ServedChain
from pinwarden.render import listed_finding_json, next_step

__all__ = ["Order", "chains_of", "lint_files"]

_LONGEST_MESSAGE = 1000
# A person sees what is wrong from a few; JSON has them all.
_MOST_OF_A_KIND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `lint` was asked for; `soon` is in days."""

    files: tuple[Path, ...]
    live: bool
    hosts: tuple[str, ...]
    at: str | None
    soon: int
    own: tuple[str, ...]
    ignored: tuple[str, ...]
    asking: Asking
    strict: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linted:
    """One file; `not_checked` says by host and address what could not be asked."""

    file: str
    hosts: tuple[str, ...]
    live: bool
    findings: tuple[Finding, ...]
    not_checked: tuple[tuple[str, str], ...]


def lint_files(order: Order) -> int:
    """Read every file before anybody is asked, then tell of each; returns the exit code."""
    ignored = ignored_findings(order.ignored, "docs/findings-pins.md")
    drafts = [_read(file) for file in order.files]
    is_own = _is_own(order.own)
    at = parse_moment(order.at, "--at") or datetime.now(UTC)
    live = order.live or bool(order.hosts)
    served, not_checked = _ask(drafts, order) if live else ({}, {})
    setting = LintSetting(
        at=at,
        served=served,
        anchors=_anchors(order.asking) if live or order.asking.cafile else (),
        is_public_suffix=_public_suffixes(),
        is_own=is_own,
        soon=timedelta(days=order.soon),
    )
    code = ExitCode.OK
    for file, draft in zip(order.files, drafts, strict=True):
        hosts = tuple(policy.host for policy in draft.policies)
        linted = _Linted(
            file=str(file),
            hosts=hosts,
            live=live,
            findings=tuple(each for each in lint_draft(draft, setting) if each.id not in ignored),
            not_checked=tuple(
                (host, problem) for host in hosts for problem in not_checked.get(host, ())
            ),
        )
        if order.as_json:
            answer_json(_json(linted))
        else:
            answer("\n".join(_text(linted)) + "\n")
        code = _worse(code, linted, strict=order.strict)
    return code


def _worse(code: ExitCode, linted: _Linted, *, strict: bool) -> ExitCode:
    if any(strict or each.severity.is_serious for each in linted.findings):
        return ExitCode.FINDINGS
    if linted.not_checked and code is ExitCode.OK:
        return ExitCode.UNFINISHED
    return code


def _read(file: Path) -> Draft:
    text, is_json = read_set_text(file)
    try:
        return read_draft(text, json=is_json, where=str(file))
    except PinSetError as error:
        hint = error.hint or "`pinwarden pin import` reads the pins of other programs"
        raise PinSetError(str(error), hint=hint) from None


def _is_own(names: Sequence[str]) -> Callable[[str], bool] | None:
    if not names:
        return None
    own = set()
    for name in names:
        try:
            own.add(normalise_host(name))
        except MalformedError as error:
            raise ConfigError(f"--own: {error}", hint=error.hint) from None
    return lambda host: not own.isdisjoint(suffixes(host))


def _public_suffixes() -> Callable[[str], bool]:
    from publicsuffixlist import PublicSuffixList

    known = PublicSuffixList(accept_unknown=False)

    def is_public_suffix(host: str) -> bool:
        # A host that cannot be read is told of as such.
        try:
            return bool(known.publicsuffix(normalise_name(host)) == host)
        except MalformedError:
            return False

    return is_public_suffix


def _anchors(asking: Asking) -> tuple[bytes, ...]:
    from pinwarden.cli.pin.anchors import trust_anchors

    return trust_anchors(asking.cafile)


def _ask(
    drafts: Sequence[Draft], order: Order
) -> tuple[dict[str, list[ServedChain]], dict[str, list[str]]]:
    """By the host of each policy: its chains, and in words what could not be asked."""
    policies = {policy.host: policy for draft in drafts for policy in draft.policies}
    endpoints: dict[Endpoint, str] = {}
    for text in order.hosts:
        endpoint = endpoint_of(text, order.asking)
        policy = covering(endpoint.host, policies)
        if policy is None:
            raise ConfigError(f"--host {quoted(text)}: no policy is about it")
        endpoints[endpoint] = policy.host
    if not order.hosts:
        for policy in policies.values():
            if _can_be_asked(policy.host):
                endpoints[endpoint_of_policy(policy.host, order.asking)] = policy.host
    served: defaultdict[str, list[ServedChain]] = defaultdict(list)
    problems: defaultdict[str, list[str]] = defaultdict(list)
    answers = ask_hosts(tuple(endpoints), order.asking)
    for host, found in zip(endpoints.values(), answers, strict=True):
        served[host] += chains_of(found)
        problems[host] += _problems(found)
    return dict(served), dict(problems)


def _can_be_asked(host: str) -> bool:
    try:
        return normalise_host(host) == host
    except MalformedError:
        return False


def chains_of(served: ServedHost) -> list[ServedChain]:
    """What a host served, in the form that lint and rotation take."""
    return [
        ServedChain(
            address=f"{served.endpoint} ({each.address})",
            verified=each.verified,
            sent=each.sent,
            problem=each.problem,
        )
        for each in served.addresses
    ]


def _problems(served: ServedHost) -> Iterator[str]:
    if served.problem:
        yield f"{served.endpoint}: {served.problem}"
    for each in served.addresses:
        if not each.verified:
            yield f"{served.endpoint} at {each.address}: {each.problem or 'no verified chain'}"
    if served.left_out:
        yield f"{served.endpoint}: {served.left_out} more addresses were not asked"


def _text(linted: _Linted) -> Iterator[str]:
    groups: dict[str, list[Finding]] = {host: [] for host in ("", *linted.hosts)}
    for finding in linted.findings:
        groups[finding.subject].append(finding)
    yield display(linted.file, 300)
    for host, found in groups.items():
        if not host and not found:
            continue
        yield f"  {display(host, 260)}" if host else "  the set as a whole"
        yield from _group_text(found)
        for who, problem in linted.not_checked:
            if who == host:
                yield f"    not checked: {display(problem, _LONGEST_MESSAGE)}"
        if not found:
            yield "    nothing to report" + ("" if linted.live else " (its host was not asked)")


def _group_text(found: Sequence[Finding]) -> Iterator[str]:
    kinds: defaultdict[str, int] = defaultdict(int)
    for finding in found:
        kinds[finding.id] += 1
        if kinds[finding.id] > _MOST_OF_A_KIND:
            continue
        yield f"    {finding.severity}: {display(finding.message, _LONGEST_MESSAGE)} [{finding.id}]"
        where = where_of(finding)
        if where:
            yield f"        at: {display(where, _LONGEST_MESSAGE)}"
        if kinds[finding.id] == 1:
            yield f"        do: {next_step(finding.kind)}"
    for kind, count in kinds.items():
        if count > _MOST_OF_A_KIND:
            yield f"    and {count - _MOST_OF_A_KIND:,} more [{kind}]"


def _json(linted: _Linted) -> dict[str, Any]:
    return {
        "file": linted.file,
        "hosts": linted.hosts,
        "live": linted.live,
        "findings": [
            {**listed_finding_json(each), "host": each.subject or None} for each in linted.findings
        ],
        "not_checked": [{"host": host, "reason": problem} for host, problem in linted.not_checked],
    }
