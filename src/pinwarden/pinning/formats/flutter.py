"""Dart and Flutter: a library with an HttpClient whose connections are held to the pins.

Dart tells a program the server's own certificate and no other, so CA pins become the
only trusted authorities of a host, which takes their certificates.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden.pinning.formats.export import Export, Loss, LossKind, Writing
from pinwarden.pinning.formats.fitting import Abilities, fit
from pinwarden.pinning.formats.flutter_code import CODE
from pinwarden.pinning.formats.generated import filled_in, reports_are_told
from pinwarden.pinning.formats.literals import code_list, code_string, notes
from pinwarden.pinning.formats.pinned_certificates import anchors_of
from pinwarden.pinning.formats.rows import Row, rows_of
from pinwarden.pinning.pem import pem_text
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import OnExpiry, PinPolicy, PinRole

__all__ = ["write"]

_ABLE = Abilities(
    report_only=True,
    on_expiry=frozenset(OnExpiry),
    reports=True,
    roles=True,
    exclude=True,
    addresses=True,
    refuse_unpinned=True,
)


def write(pins: PinSet, writing: Writing) -> Export:
    """`pins.dart`, for Dart 2.19 and newer with the package crypto."""
    policies, losses = fit(pins, _ABLE)
    losses += reports_are_told(policies)
    losses.append(
        Loss(LossKind.PROXIES, "", "pinned hosts are refused through a proxy, never unpinned")
    )
    lines: list[str] = []
    for row in rows_of(policies):
        anchors, lost = _anchors(row.policy, writing)
        losses += lost
        lines += _row(row, anchors)
    return Export(
        files=(("pins.dart", filled_in(CODE, pins, lines)),),
        losses=tuple(losses),
    )


def _anchors(policy: PinPolicy, writing: Writing) -> tuple[tuple[bytes, ...], list[Loss]]:
    if not policy.pins(PinRole.CA):
        return (), []
    known = any(writing.certificates.get(pin) for pin in policy.pins(PinRole.CA))
    if policy.pins(PinRole.LEAF) and not known:
        return (), [Loss(LossKind.CA_PINS, policy.host, "CA pins take the CAs' certificates")]
    return anchors_of(policy, writing)


def _row(row: Row, anchors: tuple[bytes, ...]) -> Iterator[str]:
    for note in notes(row.policy):
        yield f"  // {note}"
    # A backup pin alone is no leaf pin: its policy would be met by nothing that is served.
    leaf = row.leaf if row.policy.pins(PinRole.LEAF) or not anchors else ()
    yield f"  {code_string(row.host)}: _Policy("
    yield f"    includeSubdomains: {'true' if row.include_subdomains else 'false'},"
    yield f"    exclude: [{code_list(row.exclude)}],"
    yield f"    enforce: {'true' if row.enforce else 'false'},"
    yield f"    expires: {code_string(row.expires)},"
    yield f"    onExpiry: {code_string(row.on_expiry)},"
    yield f"    leaf: [{code_list(leaf)}],"
    pem = "".join(pem_text("CERTIFICATE", each) for each in anchors).replace("\n", "\\n")
    yield f'    anchors: "{pem}",'
    yield "  ),"
