"""Writing Terraform's configuration language so that `terraform fmt` leaves it as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TEMPLATE = re.compile(r"[$%](?=\{)")


def hcl_string(text: str) -> str:
    r"""A quoted string of HCL: `"`, `\` and the beginnings of templates escaped.

    Control characters become `\uNNNN`.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    doubled = _TEMPLATE.sub(lambda found: found[0] * 2, escaped)
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in doubled) + '"'


def hcl_label(name: str, *more: str) -> str:
    """A resource's label made of a name: letters, digits, `_` and `-`, no digit first.

    Two names never share a label: dots become `_`, and `_` becomes `_-`, which no dot
    can, since no label of a name begins with a hyphen.
    """
    return "_".join(("caa", name.replace("_", "_-").replace(".", "_"), *more))


def attributes(pairs: Sequence[tuple[str, str]], indent: int) -> list[str]:
    """`name = value` lines, the equals signs in one column."""
    width = max(len(name) for name, _ in pairs)
    return [f"{' ' * indent}{name:<{width}} = {value}" for name, value in pairs]


def string_list(name: str, values: Sequence[str], indent: int) -> list[str]:
    """`name = [...]`, one value a line."""
    pad = " " * indent
    return [f"{pad}{name} = [", *(f"{pad}  {hcl_string(each)}," for each in values), f"{pad}]"]
