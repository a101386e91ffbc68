"""One voice for everything Pinwarden tells people: terminal, mail, chat, JSON.

An alert is first put into words (`describe_alert`), with every piece of
foreign text made printable on the way; each form then escapes the whole
account for its own medium, so that no field can be forgotten.
"""

from __future__ import annotations

from pinwarden.render.account import (
    Account,
    alert_finding_kind,
    alert_severity,
    describe_alert,
    describe_finding,
)
from pinwarden.render.advice import next_step
from pinwarden.render.machine import (
    alert_json,
    delivery_key,
    finding_json,
    listed_finding_json,
    render_json_line,
    sighting_json,
)
from pinwarden.render.message import Message, render_message
from pinwarden.render.text import (
    render_alert_text,
    render_alerts_markdown,
    render_alerts_subject,
    render_alerts_text,
    render_finding_text,
    without_markup,
)

__all__ = [
    "Account",
    "Message",
    "alert_finding_kind",
    "alert_json",
    "alert_severity",
    "delivery_key",
    "describe_alert",
    "describe_finding",
    "finding_json",
    "listed_finding_json",
    "next_step",
    "render_alert_text",
    "render_alerts_markdown",
    "render_alerts_subject",
    "render_alerts_text",
    "render_finding_text",
    "render_json_line",
    "render_message",
    "sighting_json",
    "without_markup",
]
