"""Pins in other programs' forms, read for tests."""

from __future__ import annotations

from pinwarden.pinning.draft import DraftPolicy
from pinwarden.pinning.formats.reading.table import import_pins
from support.pin_samples import pin

A, B, C = pin("a"), pin("b"), pin("c")
HOST = ("api.example.com",)


def read(text: str | bytes, source: str, **options: object) -> tuple[list[DraftPolicy], str]:
    data = text.encode() if isinstance(text, str) else text
    imported = import_pins(data, source, **options)
    return list(imported.draft.policies), "\n".join(imported.notes)


def only(text: str | bytes, source: str, **options: object) -> tuple[DraftPolicy, str]:
    (policy,), notes = read(text, source, **options)
    return policy, notes
