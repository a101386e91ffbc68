"""What a channel is given: one or more alerts in every form it may need."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pinwarden.render.machine import alert_json, delivery_key
from pinwarden.render.text import (
    render_alerts_markdown,
    render_alerts_subject,
    render_alerts_text,
)
from pinwarden.watch.sighting import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One or more alerts for one channel.

    `key` is the same whenever the same alerts are sent together again; each of
    `events` (the alerts as `alert_json` gives them) also has its own `key`.
    `subject` is one line. Everything but `events` is printable text.
    """

    key: str
    subject: str
    text: str
    markdown: str
    events: tuple[dict[str, object], ...]


def render_message(alerts: Sequence[Alert]) -> Message:
    """Put one or more alerts into one message."""
    return Message(
        key=_message_key(alerts),
        subject=render_alerts_subject(alerts),
        text=render_alerts_text(alerts),
        markdown=render_alerts_markdown(alerts),
        events=tuple(alert_json(alert) for alert in alerts),
    )


def _message_key(alerts: Sequence[Alert]) -> str:
    keys = sorted(delivery_key(alert) for alert in alerts)
    if len(keys) == 1:
        return keys[0]
    return (
        "group:" + hashlib.sha256("\n".join(keys).encode("utf-8", "backslashreplace")).hexdigest()
    )
