"""Android's network security configuration, and the same with TrustKit for Android's tags.

The most specific `domain-config` decides alone there too. Each `domain` has its own,
because TrustKit for Android reads only the last one of several.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.days import day_after
from pinwarden.pinning.formats.export import Export, Loss, LossKind, Writing
from pinwarden.pinning.formats.fitting import Abilities, excluded_names, fit
from pinwarden.pinning.formats.literals import notes, report_uri, xml_text
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import OnExpiry, PinPolicy

_SYSTEM = Abilities(on_expiry=frozenset((OnExpiry.OPEN,)), exclude=True)
# From Android 7 on the system itself enforces every pin-set, whatever enforcePinning says.
_TRUSTKIT = Abilities(
    on_expiry=frozenset((OnExpiry.OPEN,)), reports=True, fewest_pins=2, odd_names=False
)
_HEAD = """\
<?xml version="1.0" encoding="utf-8"?>
<!-- Made by `pinwarden pin export`: make it again instead of changing it. -->
<network-security-config>
"""
_TAIL = "</network-security-config>\n"


def write(pins: PinSet, writing: Writing) -> Export:
    """`network_security_config.xml` as the system takes it, for `res/xml`."""
    policies, losses = fit(pins, _SYSTEM)
    lines = [line for policy in policies for line in _domain_config(policy, [])]
    own = {policy.host: policy for policy in policies}
    # A domain that stands twice stops the application at its start.
    for name in excluded_names(policies):
        lines += _without_pins(name)
    for name in dict.fromkeys(each for policy in policies for each in policy.exclude):
        if name in own and not own[name].include_subdomains:
            message = f"it is excluded with all below it, and names below {name} are pinned"
            losses.append(Loss(LossKind.EXCLUDE_SHALLOW, name, message))
    return _export(lines, policies, losses)


def write_trustkit(pins: PinSet, writing: Writing) -> Export:
    """The same file with a `trustkit-config` for each domain, as TrustKit for Android reads it."""
    policies, losses = fit(pins, _TRUSTKIT)
    lines = [line for policy in policies for line in _domain_config(policy, _trustkit(policy))]
    return _export(lines, policies, losses)


def _export(lines: list[str], policies: tuple[PinPolicy, ...], losses: list[Loss]) -> Export:
    losses += [
        Loss(
            LossKind.EXPIRY_ROUNDED, policy.host, "the last day ends at midnight where the phone is"
        )
        for policy in policies
        if _expiration(policy)
    ]
    text = _HEAD + "".join(f"    {line}\n" for line in lines) + _TAIL
    return Export(files=(("network_security_config.xml", text),), losses=tuple(losses))


def _without_pins(name: str) -> Iterator[str]:
    yield "<domain-config>"
    yield f'    <domain includeSubdomains="true">{xml_text(name)}</domain>'
    # An empty set, so that nothing is inherited and nobody takes it for forgotten.
    yield "    <pin-set />"
    yield "</domain-config>"


def _domain_config(policy: PinPolicy, more: list[str]) -> Iterator[str]:
    for note in notes(policy):
        yield f"<!-- {note} -->"
    below = "true" if policy.include_subdomains else "false"
    yield "<domain-config>"
    yield f'    <domain includeSubdomains="{below}">{xml_text(policy.host)}</domain>'
    yield f"    <pin-set{_expiration(policy)}>"
    for pin in sorted(policy.pins()):
        yield f'        <pin digest="SHA-256">{pin.base64}</pin>'
    yield "    </pin-set>"
    yield from (f"    {line}" for line in more)
    yield "</domain-config>"


def _expiration(policy: PinPolicy) -> str:
    """Only for a policy that opens at its end, because this is what a phone does then.

    The phone counts from the beginning of the day named, our last day is included.
    """
    if policy.expires is None or policy.on_expiry is not OnExpiry.OPEN:
        return ""
    return f' expiration="{day_after(policy.expires)}"'


def _trustkit(policy: PinPolicy) -> list[str]:
    uri = report_uri(policy)
    head = '<trustkit-config enforcePinning="true" disableDefaultReportUri="true"'
    if not uri:
        # It looks for the closing tag, and an empty element has one too when it is parsed.
        return [f"{head} />"]
    return [f"{head}>", f"    <report-uri>{xml_text(uri)}</report-uri>", "</trustkit-config>"]
