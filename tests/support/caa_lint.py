"""Sets of records for tests of the CAA lint, and what it says of them in short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from pinwarden.caa.climb import RelevantSet, climb_with
from pinwarden.caa.issuers.map import load_issuers
from pinwarden.caa.lint.setting import Setting
from pinwarden.caa.lookup import DNSSECState, Lookup, Outcome
from pinwarden.caa.presentation import parse_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.findings import Finding, Severity

SETTING = Setting(
    name="example.com", issuers=load_issuers(), at=datetime(2026, 11, 24, 8, tzinfo=UTC)
)
AFTER_SC098 = replace(SETTING, at=datetime(2027, 3, 15, tzinfo=UTC))
ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/12345"
# What is left to say about a set that is as strict as it can be.
STRICT = (
    f'0 issue "letsencrypt.org;accounturi={ACCOUNT};validationmethods=dns-01"',
    '0 issuewild ";"',
    '0 issuemail ";"',
    '0 issuevmc ";"',
    '0 iodef "mailto:security@example.com"',
)


def records(*texts: str) -> tuple[CAARecord, ...]:
    """Records from presentation form."""
    return tuple(map(parse_presentation, texts))


def ids(found: Iterable[Finding], least: Severity = Severity.LOW) -> set[str]:
    """The ids without their prefix, of this severity and above."""
    order = list(Severity)
    return {
        each.id.removeprefix("PW-CAA-")
        for each in found
        if order.index(each.severity) >= order.index(least)
    }


def answer(
    name: str,
    *texts: str,
    broken: tuple[BrokenRecord, ...] = (),
    ttl: int = 300,
    aliases: tuple[str, ...] = (),
    dnssec: DNSSECState = DNSSECState.SECURE,
) -> Lookup:
    """An answer with these records, or an empty one."""
    return Lookup(
        name=name,
        outcome=Outcome.RECORDS if texts or broken else Outcome.NO_DATA,
        records=records(*texts),
        broken=broken,
        ttl=ttl,
        aliases=aliases,
        dnssec=dnssec,
    )


def climbed(name: str, *answers: Lookup) -> RelevantSet:
    """The relevant set in a world in which these are the only answers that are not empty."""
    world = {each.name: each for each in answers}
    return climb_with(name, lambda asked: world.get(asked) or answer(asked))
