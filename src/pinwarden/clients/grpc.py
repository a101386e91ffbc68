"""gRPC, as far as it goes: its channels trust the certificates that met the pins, and no other.

gRPC has its TLS inside and takes no context. What these credentials keep, and what not, is
told at `pinwarden.clients.anchor`; make new ones (and a new channel) when the pins or the
server's certificates change.
"""

from __future__ import annotations

import re
import ssl
from importlib import import_module
from typing import Any

from pinwarden.clients.anchor import find_anchors
from pinwarden.errors import ConfigError, quoted

__all__ = ["pinned_credentials"]

_TARGET = re.compile(
    r"(?:dns:(?:///)?)?(?P<host>\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]|[^\[\]/:,]+)(?::(?P<port>\d+))?"
)
_HTTPS = 443


def pinned_credentials(
    context: ssl.SSLContext,
    target: str,
    *,
    private_key: bytes | None = None,
    certificate_chain: bytes | None = None,
    timeout: float = 10,
) -> Any:
    """Channel credentials for one target: `grpc.ChannelCredentials`, for grpc and grpc.aio.

    `target` is `HOST`, `HOST:PORT` or `dns:///HOST:PORT`. The other arguments are those of
    `grpc.ssl_channel_credentials`, in PEM. Blocks for at most about twice `timeout`
    seconds; raises as `pinwarden.clients.anchor.find_anchors` does.

    Never give the channel `grpc.ssl_target_name_override` besides: it has gRPC look for
    another name in the certificate than the one that is pinned.
    """
    host, port = _place(target)
    anchors = find_anchors(context, host, port, timeout=timeout)
    return import_module("grpc").ssl_channel_credentials(
        root_certificates=anchors.pem,
        private_key=private_key,
        certificate_chain=certificate_chain,
    )


def _place(target: str) -> tuple[str, int]:
    found = _TARGET.fullmatch(target)
    if found is None or int(found["port"] or _HTTPS) > 0xFFFF:
        raise ConfigError(
            f"gRPC target {quoted(target)}: is not one host and port",
            hint="such as api.example.com:443",
        )
    return found["host"].strip("[]"), int(found["port"] or _HTTPS)
