"""A pin set file out of a pin header that is still sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pinwarden.cli.header.linted import PinHeader
from pinwarden.cli.output import say
from pinwarden.cli.pin.importing import backup_pins, problems_of, set_of, tell_import
from pinwarden.cli.pin.writing import write_file
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.headers.hpkp import PUBLIC_KEY_PINS, REPORT_ONLY
from pinwarden.pinning.formats.reading.found import Known
from pinwarden.pinning.formats.reading.table import import_pins
from pinwarden.pinning.lint import LintSetting, lint_draft
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode
from pinwarden.pinning.spki import spki_of_certificate

__all__ = ["PinSetWish", "write_pin_set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSetWish:
    """The file, and how its policy is to be; a `mode` of None is that of the header."""

    file: str
    mode: Mode | None = None
    backups: tuple[str, ...] = ()
    allow_no_backup: bool = False
    drop_bad_pins: bool = False
    force: bool = False


def write_pin_set(found: Sequence[PinHeader], wish: PinSetWish) -> bool:
    """Write the pins of the first header of each host, the one that pins before that which reports.

    Whether that could be done; what is wrong with them is told, as by `pin import`. Raises
    `ConfigError` if nobody said whose header it is, or the file cannot be written.
    """
    headers = _chosen(found)
    if not headers:
        say("error: --pin-set: there is no Public-Key-Pins header, so there are no pins to write")
        return False
    if len(headers) > 1:
        raise ConfigError(
            "--pin-set: there are pin headers of several hosts", hint="write a file for each host"
        )
    header = headers[0]
    if not header.host:
        raise ConfigError(
            "--pin-set: a header does not say whose it is",
            hint="name the host that sends it with --host",
        )
    name = header.name
    if wish.mode is not None:
        name = REPORT_ONLY if wish.mode is Mode.REPORT_ONLY else PUBLIC_KEY_PINS
    known = Known(
        chain=[Pin.of_spki(spki_of_certificate(each)) for each in header.chain],
        fingerprints={hashlib.sha256(each).digest() for each in header.chain},
        backups=frozenset(pin for each in wish.backups for pin in backup_pins(each)),
        allow_no_backup=wish.allow_no_backup,
        drop_bad_pins=wish.drop_bad_pins,
    )
    try:
        text = f"{name}: {' '.join(header.value.split())}"
        imported = import_pins(text.encode(), "hpkp", hosts=(header.host,), known=known)
    except MalformedError as error:
        say(f"error: --pin-set: {error}")
        return False
    findings = lint_draft(imported.draft, LintSetting(at=datetime.now(UTC)))
    problems = problems_of(imported.draft)
    tell_import(imported, findings, problems)
    if problems:
        return False
    write_file(wish.file, set_of(imported.draft).to_toml(), force=wish.force)
    return True


def _chosen(found: Sequence[PinHeader]) -> list[PinHeader]:
    chosen: dict[str, PinHeader] = {}
    for name in (PUBLIC_KEY_PINS, REPORT_ONLY):
        for each in found:
            if each.name == name:
                chosen.setdefault(each.host, each)
    return list(chosen.values())
