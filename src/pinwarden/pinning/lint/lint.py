"""The lint of a pin set: each part asked in turn, the gravest answer first."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.findings import Finding, by_severity
from pinwarden.pinning.draft import Draft, draft_of
from pinwarden.pinning.lint.hosts import lint_host
from pinwarden.pinning.lint.keys import lint_keys
from pinwarden.pinning.lint.policies import lint_policy
from pinwarden.pinning.lint.rotating import lint_rotation
from pinwarden.pinning.lint.sets import lint_between
from pinwarden.pinning.lint.setting import LintSetting
from pinwarden.pinning.lint.trust import lint_hidden, lint_trust
from pinwarden.pinning.pinset import PinSet

__all__ = ["lint_draft", "lint_set"]


def lint_set(pins: PinSet, setting: LintSetting) -> tuple[Finding, ...]:
    """Every way in which a set that is in order will hurt, the gravest first.

    The subject of a finding is the host of its policy, or empty for the set as a whole.
    """
    return lint_draft(draft_of(pins), setting)


def lint_draft(draft: Draft, setting: LintSetting) -> tuple[Finding, ...]:
    """The same for a set as it is written, which clients may refuse."""
    return by_severity(_found(draft, setting))


def _found(draft: Draft, setting: LintSetting) -> Iterator[Finding]:
    yield from lint_between(draft)
    yield from lint_hidden(draft, setting)
    for policy in draft.policies:
        yield from lint_policy(policy, setting)
        yield from lint_keys(policy, setting)
        yield from lint_rotation(policy, setting)
        chains = setting.served.get(policy.host, ())
        yield from lint_host(policy, chains, setting)
        yield from lint_trust(policy, chains, setting)
