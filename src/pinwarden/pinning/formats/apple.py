"""Apple's `NSPinnedDomains` (iOS 14, macOS 11), and TrustKit's configuration for iOS and macOS.

Apple tells leaf and CA keys apart as we do; a backup pin goes under both. Its
`NSIncludesSubdomains` reaches one label down.
"""

from __future__ import annotations

import plistlib
from typing import Any

from pinwarden.pinning.formats.days import day_after
from pinwarden.pinning.formats.export import Export, Loss, LossKind, Writing
from pinwarden.pinning.formats.fitting import Abilities, Subdomains, excluded_names, fit
from pinwarden.pinning.formats.literals import report_uri
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinPolicy, PinRole
from pinwarden.pinning.spki import spki_of_certificate

_APPLE = Abilities(roles=True, subdomains=Subdomains.ONE_LABEL, pooled=True)
_TRUSTKIT = Abilities(
    report_only=True,
    on_expiry=frozenset((OnExpiry.OPEN,)),
    reports=True,
    exclude=True,
    odd_names=False,
)
# The value of the library's own constant kTSKExcludeSubdomainFromParentPolicy, which lacks its
# first letter; a configuration in Info.plist is read by values.
_EXCLUDE = "kSKExcludeSubdomainFromParentPolicy"
_FEWEST_ENFORCED = 2


def write(pins: PinSet, writing: Writing) -> Export:
    """`NSAppTransportSecurity.plist`: the dictionary of that name, for Info.plist."""
    policies, losses = fit(pins, _APPLE)
    domains = {policy.host: _apple(policy) for policy in policies}
    losses += [loss for policy in policies for loss in _apple_losses(policy)]
    root = {"NSAppTransportSecurity": {"NSPinnedDomains": domains}}
    return Export(files=(("NSAppTransportSecurity.plist", _text(root)),), losses=tuple(losses))


def _apple(policy: PinPolicy) -> dict[str, Any]:
    domain: dict[str, Any] = {"NSIncludesSubdomains": policy.include_subdomains}
    leaf, above = policy.pins(PinRole.LEAF), policy.pins(PinRole.CA)
    backup = policy.pins(PinRole.BACKUP)
    # If one of the lists is there it must be met, so a backup alone in one would lock out.
    if leaf:
        domain["NSPinnedLeafIdentities"] = _identities(leaf | backup)
    if above:
        domain["NSPinnedCAIdentities"] = _identities(above | backup)
    return domain


def _apple_losses(policy: PinPolicy) -> list[Loss]:
    losses = []
    leaf, above = policy.pins(PinRole.LEAF), policy.pins(PinRole.CA)
    if leaf and above:
        losses.append(
            Loss(
                LossKind.BOTH_NEEDED,
                policy.host,
                "a chain may have to meet a leaf pin and a CA pin, where either is enough here",
            )
        )
    wrong = ("leaf",) if not leaf else ("intermediate", "root") if not above else ()
    if any(key.role is PinRole.BACKUP and key.kind in wrong for key in policy.keys):
        losses.append(
            Loss(
                LossKind.BACKUP_POSITION,
                policy.host,
                f"backup pins of {' and '.join(wrong)} keys count for nothing here",
            )
        )
    return losses


def _identities(pins: frozenset[Pin]) -> list[dict[str, str]]:
    return [{"SPKI-SHA256-BASE64": pin.base64} for pin in sorted(pins)]


def write_trustkit(pins: PinSet, writing: Writing) -> Export:
    """`TSKConfiguration.plist`: the dictionary of that name, for Info.plist."""
    policies, losses = fit(pins, _TRUSTKIT)
    domains: dict[str, Any] = {}
    for policy in policies:
        losses += _trustkit_losses(policy, writing)
        domains[policy.host] = _trustkit(policy)
    domains |= {name: {_EXCLUDE: True} for name in excluded_names(policies)}
    root = {"TSKConfiguration": {"TSKSwizzleNetworkDelegates": False, "TSKPinnedDomains": domains}}
    return Export(files=(("TSKConfiguration.plist", _text(root)),), losses=tuple(losses))


def _trustkit(policy: PinPolicy) -> dict[str, Any]:
    domain: dict[str, Any] = {
        "TSKPublicKeyHashes": [pin.base64 for pin in sorted(policy.pins())],
        "TSKEnforcePinning": policy.mode is Mode.ENFORCE,
        "TSKIncludeSubdomains": policy.include_subdomains,
        # Reports would go to the library's vendor otherwise.
        "TSKDisableDefaultReportUri": True,
    }
    if policy.expires is not None and policy.on_expiry is OnExpiry.OPEN:
        # It counts from the beginning of the day named, in UTC; our last day is included.
        domain["TSKExpirationDate"] = str(day_after(policy.expires))
    if uri := report_uri(policy):
        domain["TSKReportUris"] = [uri]
    return domain


def _trustkit_losses(policy: PinPolicy, writing: Writing) -> list[Loss]:
    losses = []
    if policy.mode is Mode.ENFORCE and len(policy.pins()) < _FEWEST_ENFORCED:
        losses.append(
            Loss(
                LossKind.TOO_FEW_PINS,
                policy.host,
                "TrustKit stops the application at its start unless two keys are pinned",
            )
        )
    if policy.exclude:
        losses.append(
            Loss(
                LossKind.EXCLUDE_SHALLOW,
                policy.host,
                f"names below the excluded ones are pinned: {', '.join(policy.exclude)}",
            )
        )
    losses += [
        Loss(
            LossKind.KEY_TYPE,
            policy.host,
            f"TrustKit cannot read the type of key of {pin}, and refuses every chain with it",
        )
        for pin in sorted(policy.pins())
        for certificate in writing.certificates.get(pin, ())[:1]
        if not _readable(spki_of_certificate(certificate))
    ]
    return losses


# It puts one of these headers before the bits of a key: RSA of 2048, 3072 and 4096 bits with
# the exponent 65537, and points on P-256 and P-384 that are not compressed (RFC 3279, RFC 5480).
_HEADERS = {
    "30820122300d06092a864886f70d01010105000382010f00": 294,
    "308201a2300d06092a864886f70d01010105000382018f00": 422,
    "30820222300d06092a864886f70d01010105000382020f00": 550,
    "3059301306072a8648ce3d020106082a8648ce3d030107034200": 91,
    "3076301006072a8648ce3d020106052b81040022036200": 120,
}


def _readable(spki: bytes) -> bool:
    return any(
        spki.startswith(bytes.fromhex(header)) and len(spki) == length
        for header, length in _HEADERS.items()
    )


def _text(root: dict[str, Any]) -> str:
    return plistlib.dumps(root, sort_keys=False).decode("utf-8")
