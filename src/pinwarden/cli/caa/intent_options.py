"""What is meant, as options: shared by `make`, which writes it, and `verify`, which asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from pinwarden.caa.intent import Grant, Intent, normal_issuer
from pinwarden.caa.lint.accounts import account_ca
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.errors import ConfigError, MalformedError, quoted

F = TypeVar("F", bound=Callable[..., Any])

_NONE = "none"
_ANY = "any"
_SAME = "same"

_OPTIONS = (
    click.option(
        "--ca",
        "cas",
        metavar="CA|none|any",
        multiple=True,
        help="A CA that may issue, by its CAA domain; may be repeated.",
    ),
    click.option(
        "--wildcard",
        metavar="CA|same|none|any",
        multiple=True,
        help="A CA that may issue wildcards; may be repeated [default: same as --ca].",
    ),
    click.option(
        "--account-uri",
        "accounts",
        metavar="[CA=]URI",
        multiple=True,
        help="Only this ACME account of the CA; may be repeated.",
    ),
    click.option(
        "--method",
        "methods",
        metavar="[CA=]LABEL",
        multiple=True,
        help="Only this validation method, such as dns-01; may be repeated.",
    ),
    click.option(
        "--smime",
        metavar="CA|none",
        multiple=True,
        help="A CA for mail certificates; without it any CA may issue those.",
    ),
    click.option(
        "--vmc",
        metavar="CA|none",
        multiple=True,
        help="A CA for brand mark certificates; without it any CA may issue those.",
    ),
    click.option(
        "--report",
        "reports",
        metavar="URL",
        multiple=True,
        help="Where a CA may report a request that it refused: mailto:... or https://...",
    ),
    click.option(
        "--contact-email",
        "contact_emails",
        metavar="ADDRESS",
        multiple=True,
        help="A contact for validation by mail.",
    ),
    click.option(
        "--contact-phone",
        "contact_phones",
        metavar="NUMBER",
        multiple=True,
        help="A contact for validation by telephone, such as +1-555-0100.",
    ),
    click.option("--critical", is_flag=True, help="Set the critical flag on issue and issuewild."),
)


def intent_options(command: F) -> F:
    """Adds --ca, --wildcard, --account-uri, --method, --smime, --vmc, --report and the rest."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What the options said, in the user's words."""

    cas: tuple[str, ...]
    wildcard: tuple[str, ...]
    accounts: tuple[str, ...]
    methods: tuple[str, ...]
    smime: tuple[str, ...]
    vmc: tuple[str, ...]
    reports: tuple[str, ...]
    contact_emails: tuple[str, ...]
    contact_phones: tuple[str, ...]
    critical: bool

    @property
    def said_anything(self) -> bool:
        """Whether there is an intent at all."""
        return any(getattr(self, name) for name in self.__slots__)

    @property
    def names_cas(self) -> bool:
        """Whether it says which CAs may issue for names of servers, or in which way."""
        return any((self.cas, self.wildcard, self.accounts, self.methods))


def meant_from(options: dict[str, Any]) -> Meant:
    """Takes what `intent_options` added out of a command's options."""
    return Meant(**{name: options.pop(name) for name in Meant.__slots__})


def intent_for(name: str, meant: Meant) -> Intent:
    """The intent for one name; raises `ConfigError` for options that do not go together."""
    plain = _domains("--ca", meant.cas, (_NONE, _ANY))
    wild = _domains("--wildcard", meant.wildcard, (_NONE, _ANY, _SAME))
    named = tuple(dict.fromkeys((*(plain or ()), *(wild or ()))))
    if not named and (meant.accounts or meant.methods):
        raise ConfigError("--account-uri and --method: bind a CA, and none is named")
    accounts = _bound(meant.accounts, named, "--account-uri")
    methods = _bound(meant.methods, named, "--method")

    def grants(domains: tuple[str, ...] | None) -> tuple[Grant, ...] | None:
        if domains is None:
            return None
        return tuple(
            Grant(domain=each, account_uris=accounts[each], methods=methods[each])
            for each in domains
        )

    any_wild = tuple(map(str.lower, meant.wildcard)) == (_ANY,)
    same = not any_wild and wild is None
    if any_wild and plain is not None:
        raise ConfigError(
            "--wildcard any: without issuewild the CAs of --ca are those for wildcards too"
        )
    return Intent(
        name=name,
        issuers=grants(plain),
        wildcard=None if same or any_wild else grants(wild),
        smime=_domains("--smime", meant.smime, (_NONE,)),
        vmc=_domains("--vmc", meant.vmc, (_NONE,)),
        reports=meant.reports,
        contact_emails=meant.contact_emails,
        contact_phones=meant.contact_phones,
        critical=meant.critical,
    )


def beside(intent: Intent, meant: Meant) -> Intent:
    """An intent that certificates told, with what the options say of everything else."""
    said = intent_for(intent.name, meant)
    return replace(said, issuers=intent.issuers, wildcard=intent.wildcard)


def _domains(option: str, given: Sequence[str], words: Sequence[str]) -> tuple[str, ...] | None:
    """The CAs that an option names; empty for nobody, None where it leaves it open."""
    if not given:
        return None
    spoken = [each.strip().lower() for each in given]
    word = next((each for each in spoken if each in words), None)
    if word is not None:
        if len(set(spoken)) > 1:
            raise ConfigError(f"{option} {word}: stands alone")
        return () if word == _NONE else None
    return tuple(dict.fromkeys(_issuer(option, each) for each in given))


def _issuer(option: str, given: str) -> str:
    try:
        return normal_issuer(given)
    except MalformedError as error:
        # People know CAs by other names than those in CAA.
        near = current_issuers().nearest(given, limit=1)
        hint = f"did you mean {near[0].domain}?" if near else error.hint
        raise ConfigError(f"{option}: {error}", hint=hint) from error


def _bound(given: Sequence[str], named: Sequence[str], option: str) -> dict[str, tuple[str, ...]]:
    """Which of the accounts or methods belong to which CA."""
    found: dict[str, dict[str, None]] = {each: {} for each in named}
    for text in given:
        ca, value = _split(text)
        if ca is not None and ca not in found:
            raise ConfigError(f"{option} {quoted(text)}: {ca} is not among --ca and --wildcard")
        owners = [ca] if ca is not None else list(_owners(value, named, option))
        for each in owners:
            found[each][value] = None
    return {each: tuple(values) for each, values in found.items()}


def _split(text: str) -> tuple[str | None, str]:
    head, equals, rest = text.partition("=")
    # A URI has its colon before any equals sign, and a CA's name has none.
    if equals and not any(mark in head for mark in ":/?"):
        return head.strip().lower(), rest
    return None, text


def _owners(value: str, named: Sequence[str], option: str) -> Sequence[str]:
    """The CAs that something without `CA=` is for: a method for all, an account for one."""
    if option == "--method" or len(named) <= 1:
        return named
    known = account_ca(value)
    if known in named:
        return [known] if known is not None else []
    raise ConfigError(
        f"{option} {quoted(value)}: whose account is it, with several CAs?",
        hint=f"write --account-uri {named[0]}={quoted(value)[1:-1]}",
    )
