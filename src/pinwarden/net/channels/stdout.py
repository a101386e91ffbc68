"""Alerts to standard output."""

from __future__ import annotations

import io
import os
import sys

from pinwarden.config_channels import StdoutConfig
from pinwarden.errors import OutsideError
from pinwarden.net.channels.apart import Apart
from pinwarden.render import Message, render_json_line

_TARGET = "standard output"
_READER_GONE = 3600.0


class StdoutChannel:
    """Writes alerts as text, or as one JSON object a line."""

    def __init__(self, config: StdoutConfig) -> None:
        self.name = config.name
        self.group = config.group
        self.timeout = config.timeout
        self._json = config.format == "json"
        self._apart = Apart(_TARGET)

    async def deliver(self, message: Message) -> None:
        """Write one message and flush it."""
        if self._json:
            text = "".join(render_json_line(event) + "\n" for event in message.events)
        else:
            text = message.text + "\n"
        await self._apart.run(lambda: _write(text))


def _write(text: str) -> None:
    stream = sys.stdout
    try:
        data = text.encode(stream.encoding or "utf-8", "backslashreplace")
        stream.flush()
        try:
            descriptor = stream.fileno()
        except (io.UnsupportedOperation, AttributeError):
            stream.write(data.decode(stream.encoding or "utf-8"))
            stream.flush()
            return
        # Past the buffer: a thread blocked inside it would hold its lock at exit.
        while data:
            data = data[os.write(descriptor, data) :]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is closed"
        # A reader that went away does not come back; the alert stays owed.
        later = _READER_GONE if isinstance(error, BrokenPipeError) else None
        raise OutsideError(
            f"{_TARGET}: cannot be written: {reason}", target=_TARGET, retry_after=later
        ) from error
