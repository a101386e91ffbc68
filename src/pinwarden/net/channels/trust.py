"""Whom a channel believes to be its receiver."""

from __future__ import annotations

import ssl

from pinwarden.errors import ConfigError, quoted


def tls_context(channel: str, ca_file: str | None) -> ssl.SSLContext:
    """The system's trusted authorities, or those in `ca_file` alone.

    Raises ConfigError naming the channel when the file holds none.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"channel {quoted(channel)}: ca_file {quoted(ca_file or '')} "
            "holds no certificates that can be read"
        ) from error
