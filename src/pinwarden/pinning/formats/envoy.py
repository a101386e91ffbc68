"""Envoy: a TLS context for each upstream, with `verify_certificate_spki` or pinned authorities.

`verify_certificate_spki` looks at the server's own key. It replaces nothing: without
`trusted_ca` anybody's certificate with that key would do, so both are always written,
and the host's name is asked for too. As JSON, which Envoy reads as it does YAML.
"""

from __future__ import annotations

import json
from typing import Any

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.fitting import Abilities, Subdomains, fit
from pinwarden.pinning.formats.leaf_only import leaf_only
from pinwarden.pinning.formats.pinned_certificates import anchors_of, pem_file
from pinwarden.pinning.host import is_ip
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy

_ABLE = Abilities(roles=True, exclude=True, addresses=True, subdomains=Subdomains.NONE)
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_SYSTEM_STORE = "/etc/ssl/certs/ca-certificates.crt"


def write(pins: PinSet, writing: Writing) -> Export:
    """`HOST.json` with the `transport_socket` of the cluster that reaches the host."""
    policies, losses = fit(pins, _ABLE)
    files: list[tuple[str, str]] = []
    for policy in policies:
        leaves, lost = leaf_only(policy)
        validation: dict[str, Any] = {
            "trusted_ca": {"filename": _SYSTEM_STORE},
            "match_typed_subject_alt_names": [_name(policy)],
        }
        if leaves:
            validation["verify_certificate_spki"] = [pin.base64 for pin in leaves]
        else:
            anchors, lost = anchors_of(policy, writing)
            validation["trusted_ca"] = {"inline_string": pem_file(anchors)}
        losses += lost
        text = json.dumps(_socket(policy, validation), indent=2)
        files.append((f"{policy.host.replace(':', '_')}.json", text + "\n"))
    return Export(files=tuple(files), losses=tuple(losses))


def _socket(policy: PinPolicy, validation: dict[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = {
        "@type": _TLS,
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "validation_context": validation,
        },
        # A resumed session is not verified again.
        "max_session_keys": 0,
    }
    if not is_ip(policy.host):
        context["sni"] = policy.host
    return {
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
    }


def _name(policy: PinPolicy) -> dict[str, Any]:
    kind = "IP_ADDRESS" if is_ip(policy.host) else "DNS"
    return {"san_type": kind, "matcher": {"exact": policy.host}}
