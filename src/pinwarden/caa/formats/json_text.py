"""Strings for media that read JSON's: JavaScript, YAML and JSON itself."""

from __future__ import annotations

import json


def json_string(text: str) -> str:
    """A double-quoted literal in ASCII that JSON, YAML and JavaScript read alike."""
    return json.dumps(text, ensure_ascii=True)


def json_document(value: object) -> str:
    """A document for people to read over before they send it."""
    return json.dumps(value, ensure_ascii=True, indent=2) + "\n"
