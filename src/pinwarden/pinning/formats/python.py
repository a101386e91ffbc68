"""Python: a module that carries the set along, for programs that read no file of pins."""

from __future__ import annotations

from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.formats.fitting import EVERYTHING, fit
from pinwarden.pinning.pinset import PinSet

__all__ = ["write"]

_CODE = '''\
"""Pins, made by `pinwarden pin export --format python`: make it again instead of changing it."""

from pinwarden.clients import PinnedContext
from pinwarden.pinning import PinSet

_SET = {literal}

PINS = PinSet.parse(_SET, json=True, where=__name__)


def context(**options: object) -> PinnedContext:
    """A context that is held to the pins; the options are those of `PinnedContext`."""
    return PinnedContext(PINS, **options)
'''


def write(pins: PinSet, writing: Writing) -> Export:
    """`pins.py`, which says everything that the set says."""
    _, losses = fit(pins, EVERYTHING)
    # JSON in ASCII holds no quote but ", and repr() writes it as one literal.
    text = _CODE.format(literal=_literal(pins.to_json()))
    return Export(files=(("pins.py", text),), losses=tuple(losses))


def _literal(document: str) -> str:
    lines = document.splitlines() or [""]
    return "(\n" + "".join(f"    {line!r}\n" for line in lines) + ")"
