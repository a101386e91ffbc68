"""An audit told in five ways.

To a person at a terminal, to programs, in a review, to code scanning, and as a page to keep.

All of them take `AuditReport` values, make everything foreign harmless for their medium,
and bound what they write.
"""

from __future__ import annotations

from pinwarden.audit.rendering.machine import (
    audit_json,
)
from pinwarden.audit.rendering.markdown import render_audit_markdown
from pinwarden.audit.rendering.outcome import Outcome, line_of, outcome_of, title_of
from pinwarden.audit.rendering.page import render_audit_html
from pinwarden.audit.rendering.sarif import audit_sarif
from pinwarden.audit.rendering.text import render_audit_text

__all__ = [
    "Outcome",
    "audit_json",
    "audit_sarif",
    "line_of",
    "outcome_of",
    "render_audit_html",
    "render_audit_markdown",
    "render_audit_text",
    "title_of",
]
