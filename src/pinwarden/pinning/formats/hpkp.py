"""The header of RFC 7469. No browser keeps it; some clients and scanners still read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from pinwarden.pinning.formats.days import day_after
from pinwarden.pinning.formats.export import Export, Loss, LossKind, Writing
from pinwarden.pinning.formats.fitting import Abilities, enforced_from_above, fit
from pinwarden.pinning.formats.literals import notes, report_uri
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinPolicy, PinSetError

# After max-age the host is known no longer, which is what OPEN means.
_ABLE = Abilities(
    report_only=True, on_expiry=frozenset((OnExpiry.OPEN,)), reports=True, pooled=True
)
# The longest that section 4.1 suggests.
_LONGEST = timedelta(days=60)


def write(pins: PinSet, writing: Writing) -> Export:
    """`headers.txt`: for each host a comment and its header field."""
    policies, losses = fit(pins, _ABLE)
    lines = []
    for policy in policies:
        lines += [f"# {each}" for each in notes(policy)]
        lines.append(_field(policy, writing.at))
        losses += [*_losses(policy), *_under_others(policy, pins)]
    losses.append(
        Loss(LossKind.NOT_ENFORCED, "", "no browser has kept this header since 2020 at the latest")
    )
    return Export(files=(("headers.txt", "\n".join(lines) + "\n"),), losses=tuple(losses))


def _field(policy: PinPolicy, at: datetime) -> str:
    name = "Public-Key-Pins" + ("-Report-Only" if policy.mode is Mode.REPORT_ONLY else "")
    directives = [pin.hpkp for pin in sorted(policy.pins())]
    directives.append(f"max-age={_max_age(policy, at)}")
    if policy.include_subdomains:
        directives.append("includeSubDomains")
    if uri := report_uri(policy):
        directives.append(f'report-uri="{uri}"')
    return f"{name}: {'; '.join(directives)}"


def _max_age(policy: PinPolicy, at: datetime) -> int:
    if policy.expires is None or policy.on_expiry is not OnExpiry.OPEN:
        return int(_LONGEST.total_seconds())
    end = datetime.combine(day_after(policy.expires), time(), UTC)
    if at >= end:
        raise PinSetError(f"policy {policy.host!r}: has expired, and max-age=0 would unpin it")
    return int(min(end - at, _LONGEST).total_seconds())


def _losses(policy: PinPolicy) -> list[Loss]:
    return [
        Loss(
            LossKind.EXPIRY_MOVES,
            policy.host,
            "a client forgets the pins some time after its last visit, and learns them only there",
        )
    ]


def _under_others(policy: PinPolicy, pins: PinSet) -> Iterator[Loss]:
    """A host that falls under the header of a name above it, too (RFC 7469 section 4.2).

    A header that only reports takes a host away from no other, and of two that enforce it
    goes by the order of the visits which one is asked.
    """
    if policy.mode is Mode.REPORT_ONLY:
        yield from enforced_from_above(policy, pins)
        return
    for above in pins.policies:
        covers = above.include_subdomains and policy.host.endswith(f".{above.host}")
        if covers and above.mode is Mode.ENFORCE and above.pins() != policy.pins():
            yield Loss(
                LossKind.ORDER,
                policy.host,
                f"the pins of {above.host} may be asked instead of its own, by the order of visits",
            )
