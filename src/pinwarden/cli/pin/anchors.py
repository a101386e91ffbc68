"""The trust anchors that clients on this machine have, or those in a file."""

from __future__ import annotations

import ssl
from pathlib import Path

from pinwarden.cli.files import read_file
from pinwarden.errors import ConfigError

__all__ = ["trust_anchors"]

_LARGEST, _MOST = 1 << 20, 4096


def trust_anchors(cafile: str | None) -> tuple[bytes, ...]:
    """The certificates in DER, those of CAs; raises `ConfigError` for a file that is none."""
    from pinwarden.net.tls import verifying_context

    found = tuple(verifying_context(cafile).get_ca_certs(binary_form=True))
    if found or cafile is not None:
        return found
    return _from_folder(ssl.get_default_verify_paths().capath)


def _from_folder(folder: str | None) -> tuple[bytes, ...]:
    """OpenSSL looks into its folder only when it needs an issuer, so that nothing is loaded."""
    found: dict[bytes, None] = {}
    for file in sorted(Path(folder).glob("*.[0-9]"))[:_MOST] if folder else ():
        try:
            text = read_file(file, _LARGEST).decode("ascii", "replace")
            found[ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN ") :])] = None
        except (ConfigError, ValueError):
            continue
    return tuple(found)
