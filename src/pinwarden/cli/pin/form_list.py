"""The answer to --list-formats."""

from __future__ import annotations

from collections.abc import Mapping

from pinwarden.cli.output import answer, answer_json

__all__ = ["list_forms"]


def list_forms(descriptions: Mapping[str, str], *, as_json: bool) -> None:
    """Answer with the name of each form and what it is."""
    if as_json:
        forms = [{"name": name, "description": text} for name, text in descriptions.items()]
        answer_json({"formats": forms})
        return
    width = max(map(len, descriptions))
    for name, text in descriptions.items():
        answer(f"{name:<{width}}  {text}")
