"""`pinwarden alerts test`: whether an alert reaches people."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pinwarden.cli.wiring import in_json
from pinwarden.config import Config, default_config_file, load_config
from pinwarden.config_channels import ChannelConfig, StdoutConfig, verify_channel_names
from pinwarden.errors import ConfigError, PinwardenError, quoted
from pinwarden.findings import TEST_ALERT, Finding
from pinwarden.monitor.worker import utc_now
from pinwarden.net.channels import open_channel
from pinwarden.render import render_message
from pinwarden.watch.sighting import Alert


async def send_test(config_file: Path | None, *, as_json: bool) -> dict[str, str | None]:
    """Send one alert to every channel; gives what went wrong, or None, by channel."""
    configs = _configured(config_file)
    if as_json:
        configs = in_json(configs)
    alert = Alert(
        id=0,
        key=f"test:{utc_now().isoformat()}",
        created=utc_now(),
        finding=Finding(
            kind=TEST_ALERT,
            subject="test",
            message="somebody ran `pinwarden alerts test`; nothing has happened",
        ),
    )
    errors: dict[str, str | None] = {}
    for config in configs:
        try:
            channel = open_channel(config)
            async with asyncio.timeout(channel.timeout):
                await channel.deliver(render_message((alert,)))
        except TimeoutError:
            errors[config.name] = f"no answer within {config.timeout:.0f} s"
        except PinwardenError as error:
            errors[config.name] = str(error)
        else:
            errors[config.name] = None
    return errors


def _configured(config_file: Path | None) -> tuple[ChannelConfig, ...]:
    file = config_file
    if file is None and default_config_file().is_file():
        file = default_config_file()
    config = load_config(file) if file is not None else Config(channels=(StdoutConfig(),))
    if not config.channels:
        raise ConfigError(f"configuration {quoted(str(file))}: no channel")
    verify_channel_names(config.channels)
    return config.channels
