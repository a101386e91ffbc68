"""Alerts to the many services of the Apprise library, one service a channel.

The library is kept to sending: it neither fetches pictures nor generates keys,
follows redirects, keeps files, nor fills templates from the environment. It
reports no status code, so how long to wait is for the outbox to say.
"""

from __future__ import annotations

import logging
from functools import partial

from pinwarden.config_channels import AppriseConfig
from pinwarden.errors import ConfigError, OutsideError, quoted
from pinwarden.net.channels.apart import Apart
from pinwarden.net.channels.secrets import read_secret
from pinwarden.render import Message, without_markup

try:
    import apprise
    from apprise.common import NotifyFormat, NotifyType, OverflowMode
except ImportError as error:
    raise ConfigError(
        "channels of type 'apprise' need the apprise library",
        hint="pip install 'pinwarden[notify]'",
    ) from error

# It writes to its log what it was given, also URLs that it cannot read and so cannot mask.
_library_log = logging.getLogger("apprise")
_library_log.addHandler(logging.NullHandler())
_library_log.propagate = False


class AppriseChannel:
    """Sends each message through one Apprise URL."""

    def __init__(self, config: AppriseConfig) -> None:
        self.name = config.name
        self.group = config.group
        self.timeout = config.timeout
        self._format = config.format
        url = read_secret(config.name, "url", config.url_file, config.url_env) or ""
        service = apprise.Apprise.instantiate(url, asset=_asset())
        if service is None:
            raise ConfigError(
                f"channel {quoted(config.name)}: its URL is none that Apprise knows",
                hint="`apprise --dry-run` tells what is wrong with it",
            )
        # A message too long for the service is sent in parts, not refused.
        service.overflow_mode = OverflowMode.SPLIT
        self._target = f"service {quoted(str(service.service_name))}"
        self._sender = apprise.Apprise(asset=_asset())
        self._sender.add(service)
        self._apart = Apart(self._target)

    async def deliver(self, message: Message) -> None:
        """Send one message, in a thread, for the library blocks."""
        if self._format == "markdown":
            body, form = message.markdown, NotifyFormat.MARKDOWN
        else:
            body, form = without_markup(message.text), NotifyFormat.TEXT
        send = partial(
            self._sender.notify,
            body=body,
            title=without_markup(message.subject),
            notify_type=NotifyType.WARNING,
            body_format=form,
            log_level=logging.WARNING,
        )
        result = await self._apart.run(send)
        if not result:
            said = "; ".join(entry.message for entry in result.logs())
            raise OutsideError(
                f"{self._target}: {quoted(said) if said else 'did not take the message'}",
                target=self._target,
            )


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="Pinwarden",
        app_desc="Pinwarden",
        app_url="",
        image_url_mask=None,
        image_url_logo=None,
        default_service_retry=0,
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
        secure_logging=True,
        http_redirects=False,
        storage_mode="memory",
        # The time limit is ours; with its own the library starts threads that block the exit.
        service_timeout=0,
        allow_templates=False,
    )
