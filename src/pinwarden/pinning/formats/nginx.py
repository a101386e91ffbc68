"""nginx as the client of an upstream: `proxy_ssl_trusted_certificate` with the pinned CAs alone.

nginx has no pins. It trusts what its file of certificates holds, and OpenSSL ends a chain
at a root unless it is told otherwise, which nginx cannot: pinned intermediates lock out.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinwarden.pinning.formats.export import Export, Loss, LossKind, Writing
from pinwarden.pinning.formats.fitting import Abilities, Subdomains, fit
from pinwarden.pinning.formats.literals import code_string, notes
from pinwarden.pinning.formats.pinned_certificates import anchors_of, pem_file
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy, PinRole, PinSetError
from pinwarden.x509.certificate import view_certificate

_ABLE = Abilities(roles=True, exclude=True, addresses=True, subdomains=Subdomains.NONE)


def write(pins: PinSet, writing: Writing) -> Export:
    """`HOST.conf`, to be included where the host is the upstream, with `HOST.pem` beside it."""
    policies, losses = fit(pins, _ABLE)
    files: list[tuple[str, str]] = []
    for policy in policies:
        if not policy.pins(PinRole.CA):
            raise PinSetError(
                f"policy {policy.host!r}: nginx cannot pin the server's own key, and no CA is "
                "pinned"
            )
        anchors, lost = anchors_of(policy, writing)
        losses += [*lost, *_losses(policy, anchors)]
        name = policy.host.replace(":", "_")
        files.append((f"{name}.pem", pem_file(anchors)))
        files.append((f"{name}.conf", "\n".join(_directives(policy, name)) + "\n"))
    return Export(files=tuple(files), losses=tuple(losses))


def _directives(policy: PinPolicy, name: str) -> Iterable[str]:
    yield "# Included where the upstream is this host; the path is that of nginx's own files."
    for note in notes(policy):
        yield f"# {note}"
    yield f"proxy_ssl_trusted_certificate {code_string(f'{name}.pem')};"
    yield "proxy_ssl_verify on;"
    yield "proxy_ssl_verify_depth 9;"
    yield f"proxy_ssl_name {code_string(policy.host)};"
    yield "proxy_ssl_server_name on;"
    # A resumed session is not verified again, whatever the file says by then.
    yield "proxy_ssl_session_reuse off;"
    yield "proxy_ssl_protocols TLSv1.2 TLSv1.3;"


def _losses(policy: PinPolicy, anchors: tuple[bytes, ...]) -> Iterable[Loss]:
    if policy.pins(PinRole.LEAF):
        yield Loss(LossKind.LEAF_PINS, policy.host, "leaf pins are left out")
    if not all(view_certificate(each).is_self_issued for each in anchors):
        yield Loss(
            LossKind.PARTIAL_CHAIN,
            policy.host,
            "a pinned intermediate is no trust anchor to nginx unless its root is in the file too",
        )
