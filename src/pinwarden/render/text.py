"""Alerts and findings as plain text, as one subject line, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pinwarden.findings import Finding
from pinwarden.render.account import (
    Account,
    alert_severity,
    describe_alert,
    describe_finding,
    shown,
)
from pinwarden.watch.sighting import Alert

_LONGEST_SUBJECT = 180
# Names and numbers stay as they are: no underscore, star, dot or dash here.
_CHAT = str.maketrans(
    {"@": "(at)", "<": "‹", ">": "›", "[": "(", "]": ")", "|": "¦", "`": "'", "~": "∼", "&": "+"}
)
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~&<>@:=/$^])")


def render_alert_text(alert: Alert) -> str:
    """One alert for a person: a title, five lines that matter, then the details."""
    return _text(describe_alert(alert), str(alert_severity(alert)))


def render_finding_text(finding: Finding) -> str:
    """One finding for a person."""
    return _text(describe_finding(finding), str(finding.severity))


def render_alerts_text(alerts: Sequence[Alert]) -> str:
    """Several alerts as one message, numbered when there is more than one."""
    if len(alerts) == 1:
        return render_alert_text(alerts[0])
    parts = [f"{len(alerts)} alerts\n"]
    parts += [f"{n}. {render_alert_text(alert)}" for n, alert in enumerate(alerts, 1)]
    return "\n".join(parts)


def render_alerts_subject(alerts: Sequence[Alert]) -> str:
    """One line: what a single alert says, else how many and about whom first."""
    if len(alerts) == 1:
        line = f"{alert_severity(alerts[0])}: {describe_alert(alerts[0]).title}"
    else:
        about = list(dict.fromkeys(name for alert in alerts for name in _about(alert)))
        rest = len(about) - 3
        named = ", ".join(about[:3]) + (f" and {rest} more" if rest > 0 else "")
        line = f"{len(alerts)} alerts: {named}"
    if len(line) > _LONGEST_SUBJECT:
        line = line[: _LONGEST_SUBJECT - 1] + "…"
    return f"[Pinwarden] {line}"


def render_alerts_markdown(alerts: Sequence[Alert]) -> str:
    """Several alerts as CommonMark in which nothing foreign can become markup."""
    parts = []
    for alert in alerts:
        account = describe_alert(alert)
        lines = [
            f"**{in_markdown(str(alert_severity(alert)))}: {in_markdown(account.title)}**",
            "",
        ]
        lines += [f"- **{label}:** {in_markdown(text)}" for label, text in account.rows]
        lines += [f"- {in_markdown(label)}: {in_markdown(text)}" for label, text in account.details]
        if account.link is not None:
            lines.append(f"- <{account.link}>")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def in_markdown(text: str) -> str:
    """Text that means nothing in CommonMark."""
    # CommonMark 0.31 section 2.4: a backslash takes the meaning from any ASCII punctuation.
    return _MARKUP.sub(r"\\\1", text)


def without_markup(text: str) -> str:
    """Text in which no chat service finds a mention, a masked link or a hidden part.

    A certificate may name an organisation `@everyone`, `<!channel>`,
    `[log in](https://…)` or `||nothing||`; services that read Markdown or their
    own markup in plain messages would act on it.
    """
    return text.translate(_CHAT)


def _text(account: Account, severity: str) -> str:
    lines = [f"{severity}: {account.title}"]
    lines += [f"  {label + ':':9}{text}" for label, text in account.rows]
    lines.append("")
    lines += [f"    {label}: {text}" for label, text in account.details]
    if account.link is not None:
        lines.append(f"    look it up: {account.link}")
    return "\n".join(lines) + "\n"


def _about(alert: Alert) -> tuple[str, ...]:
    if alert.finding is not None:
        return (shown(alert.finding.subject, 60),)
    if alert.sighting is not None and alert.sighting.matched:
        return tuple(shown(item, 60) for item in alert.sighting.matched)
    return ("an unreadable entry",)
