"""What every form has in common: what goes in, what is promised, what cannot be carried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pinwarden.caa.record import CAARecord
from pinwarden.errors import ConfigError, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """All CAA records of one name, and the zone that holds it.

    `name` and `zone` are in lower case, as A-labels, without the final dot, and the
    name is the zone's own or below it; `ttl` is in seconds.
    """

    name: str
    zone: str
    ttl: int
    records: tuple[CAARecord, ...]

    @property
    def label(self) -> str:
        """The name as seen from its zone; empty for the zone itself."""
        return self.name.removesuffix(self.zone).removesuffix(".")


Render = Callable[[Sequence[RecordSet]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form: its name on the command line, whom it is for, and what to know of it.

    `safe` says that this way no value is damaged: neither the form nor what reads it
    takes a blank, a semicolon or a quotation mark for its own. Where it is False,
    `traps` says what may happen. `render` raises `ConfigError` for a record that the
    form cannot carry.
    """

    name: str
    description: str
    safe: bool
    render: Render
    traps: tuple[str, ...] = ()


def only_tags(record: CAARecord, form: str, tags: Sequence[str]) -> None:
    """Raises `ConfigError` for a tag that what reads the form refuses."""
    if record.property not in tags:
        raise ConfigError(
            f"form {form}: takes only the tags {', '.join(tags)}",
            hint=f"publish the record for {quoted(record.tag)} in another way",
        )


def text_of(record: CAARecord, form: str, *, without: str = "") -> tuple[str, str]:
    """Tag and value for a form that holds text and no escapes of its own.

    Raises `ConfigError` for octets other than printable ASCII, and for the characters
    of `without`: what such a form would make of them, nobody can say.
    """
    value = record.value.decode("latin-1")
    foreign = [c for c in value if not " " <= c <= "~" or c in without]
    if foreign or record.property is None:
        subject = f"the tag {quoted(record.tag)}"
        if record.property is not None:
            first = foreign[0]
            what = f"character {first}" if " " <= first <= "~" else f"octet {ord(first):#04x}"
            subject = f"{what} in {quoted(record.value)}"
        raise ConfigError(
            f"form {form}: cannot carry {subject}",
            hint="bind, generic and tinydns carry every record",
        )
    return record.tag.decode("ascii"), value
