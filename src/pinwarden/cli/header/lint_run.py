"""The work of `pinwarden header lint`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pinwarden.cli.asking_hosts import Asking
from pinwarden.cli.header.following import Answer, Hop, follow
from pinwarden.cli.header.lint_view import linted_json, linted_text
from pinwarden.cli.header.linted import Linted, PinHeader, Place
from pinwarden.cli.header.pin_set import PinSetWish, write_pin_set
from pinwarden.cli.header.reading import Whose, lint_file, lint_text
from pinwarden.cli.output import ExitCode, answer, answer_json
from pinwarden.cli.pin.key_files import is_file, read_chain
from pinwarden.cli.reading import ignored_findings
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.headers.hpkp import PUBLIC_KEY_PINS, REPORT_ONLY
from pinwarden.headers.judge import judge_headers
from pinwarden.pinning.host import normalise_host
from pinwarden.pinning.policy import Mode

__all__ = ["Order", "lint_targets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `header lint` was asked for."""

    targets: tuple[str, ...]
    headers: tuple[str, ...]
    form: str
    host: str | None
    chain: str | None
    pin_set: str | None
    mode: str | None
    backups: tuple[str, ...]
    allow_no_backup: bool
    drop_bad_pins: bool
    force: bool
    ignored: tuple[str, ...]
    asking: Asking
    as_json: bool


def lint_targets(order: Order) -> int:
    """Read every file before anybody is asked, then tell of each; returns the exit code."""
    ignored = ignored_findings(order.ignored, "docs/findings-headers.md")
    if not order.targets and not order.headers:
        raise ConfigError("header lint: needs a target", hint="a host, a URL, a file, or --header")
    whose = _whose(order)
    linted = list(_linted(order, whose))
    for each in linted:
        each.ignored = ignored
    refused = False
    if order.pin_set is not None:
        wish = PinSetWish(
            file=order.pin_set,
            mode=None if order.mode is None else Mode(order.mode),
            backups=order.backups,
            allow_no_backup=order.allow_no_backup,
            drop_bad_pins=order.drop_bad_pins,
            force=order.force,
        )
        refused = not write_pin_set([h for each in linted for h in each.pin_headers], wish)
        for each in linted:
            each.pin_set = order.pin_set if not refused and each.pin_headers else None
    for each in linted:
        if order.as_json:
            answer_json(linted_json(each))
        else:
            answer("\n".join(linted_text(each)))
    return _code(linted, refused=refused)


def _code(linted: list[Linted], *, refused: bool) -> ExitCode:
    if refused or any(f.severity.is_serious for each in linted for f in each.findings):
        return ExitCode.FINDINGS
    return ExitCode.UNFINISHED if any(each.not_checked for each in linted) else ExitCode.OK


def _whose(order: Order) -> Whose:
    host = ""
    if order.host is not None:
        try:
            host = normalise_host(order.host)
        except MalformedError as error:
            raise ConfigError(f"--host: {error}", hint=error.hint) from None
    return Whose(host, () if order.chain is None else read_chain(order.chain))


def _linted(order: Order, whose: Whose) -> Iterator[Linted]:
    targets = dict.fromkeys(order.targets)
    files = {
        each: _lint_file(each, order.form, whose, among_others=len(targets) > 1)
        for each in targets
        if _is_file(each)
    }
    if order.headers:
        data = "\r\n".join(order.headers).encode("utf-8", "replace")
        try:
            yield lint_text(data, "response", whose, target="--header")
        except MalformedError as error:
            raise ConfigError(
                f"--header: {error}", hint="with its name, such as 'Expect-CT: max-age=0'"
            ) from None
    for each in targets:
        yield files[each] if each in files else _lint_url(each, order.asking)


def _lint_file(path: str, form: str, whose: Whose, *, among_others: bool) -> Linted:
    """Of many files, such as a shell makes of a `*`, one that cannot be read is only told of."""
    try:
        return lint_file(path, form, whose)
    except ConfigError as error:
        if among_others and path != "-" and Path(path).exists():
            return Linted(target=path, not_checked=[str(error)])
        raise


# A mistyped file must not become a question to a resolver; and no host is called like these.
_OF_FILES = {".cfg", ".conf", ".headers", ".htm", ".html", ".htaccess", ".txt"}
_FILES = {"caddyfile", ".htaccess"}


def _is_file(target: str) -> bool:
    if "://" in target:
        return False
    path = Path(target)
    if "." not in target and _is_directory(path):
        return True
    return is_file(target) or path.suffix.lower() in _OF_FILES or path.name.lower() in _FILES


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _lint_url(url: str, asking: Asking) -> Linted:
    linted = Linted(target=url)
    for hop in follow(url, asking):
        _lint_hop(hop, linted)
    return linted


def _lint_hop(hop: Hop, linted: Linted) -> None:
    fields = set()
    for each in hop.answers:
        if each.head is None:
            at = f" at {each.address}" if each.address else ""
            linted.not_checked.append(f"{hop.url}{at}: {each.problem}")
            continue
        report = judge_headers(
            each.head.fields,
            scheme=hop.scheme,
            host=hop.host,
            chain_pins=Whose(chain=each.chain).pins,
        )
        fields.add(tuple(sorted(_retired(each))))
        # Addresses that answer alike have one finding.
        linted.places.append(Place(where=hop.url, report=report))
        linted.pin_headers += [
            PinHeader(host=hop.host, name=name, value=value, chain=each.chain)
            for name, value in _retired(each)
        ]
    if len(fields) > 1:
        linted.notes.append(f"{hop.url}: not all of its addresses send the same headers")
    if hop.problem:
        linted.not_checked.append(f"{hop.url}: {hop.problem}")


def _retired(answer: Answer) -> Iterator[tuple[str, str]]:
    """The pin headers of an answer, of each kind the first."""
    for name in (PUBLIC_KEY_PINS, REPORT_ONLY):
        values = () if answer.head is None else answer.head.values(name)
        for value in values[:1]:
            yield name, value
