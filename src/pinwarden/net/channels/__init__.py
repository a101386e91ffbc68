"""Where alerts go: one small room for each kind of receiver.

Each sender's libraries are imported when a channel of its kind is opened, so
that nobody waits for, or installs, what they do not use.
"""

from __future__ import annotations

from pinwarden.config_channels import (
    AppriseConfig,
    ChannelConfig,
    CommandConfig,
    FileConfig,
    MailConfig,
    StdoutConfig,
)
from pinwarden.net.channels.contract import Channel, PartlyDeliveredError

__all__ = ["Channel", "PartlyDeliveredError", "open_channel"]


def open_channel(config: ChannelConfig) -> Channel:
    """The channel that a configuration table describes.

    Reads the secrets it names. Raises ConfigError when one cannot be read or an
    optional library is not installed; nothing is contacted yet.
    """
    if isinstance(config, StdoutConfig):
        from pinwarden.net.channels.stdout import StdoutChannel

        return StdoutChannel(config)
    if isinstance(config, FileConfig):
        from pinwarden.net.channels.jsonl_file import FileChannel

        return FileChannel(config)
    if isinstance(config, MailConfig):
        from pinwarden.net.channels.mail import MailChannel

        return MailChannel(config)
    if isinstance(config, CommandConfig):
        from pinwarden.net.channels.command import CommandChannel

        return CommandChannel(config)
    if isinstance(config, AppriseConfig):
        from pinwarden.net.channels.apprise_services import AppriseChannel

        return AppriseChannel(config)
    from pinwarden.net.channels.webhook import WebhookChannel

    return WebhookChannel(config)
