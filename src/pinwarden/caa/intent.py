"""From what somebody means to the CAA records that say it (RFC 8659, 8657, 9495).

The records made here have one form for one meaning: flags 0 on everything that has no
reason for more, no blanks (some providers refuse them), no semicolon at the end, which the
grammar does not know, and always an explicit `issuewild`, so that nobody must know what its
absence means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pinwarden.caa.contact import parse_contact_email, parse_contact_phone, parse_iodef
from pinwarden.caa.parameters import parse_account_uri, parse_validation_methods
from pinwarden.caa.record import ISSUER_CRITICAL, CAARecord
from pinwarden.caa.value import IssueValue, Parameter, parse_issue_value, to_value
from pinwarden.errors import ConfigError, MalformedError, quoted

NOBODY = b";"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One CA that may issue, bound to accounts and methods if any are given.

    Any one of the accounts is enough, and any one of the methods (RFC 8657 sections 3, 4).
    """

    domain: str
    account_uris: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is meant for one name and everything below it that has no CAA of its own.

    `issuers` are the CAs for names that are no wildcards; an empty tuple is nobody, None
    any CA. `wildcard` are those for wildcards; None means the same ones. `smime` and `vmc`
    are the CAs for certificates for mail and for brand marks: an empty tuple is nobody,
    and None leaves them open to every CA. `critical` sets the flag on issue and issuewild
    only, where it changes nothing; on other tags it would keep CAs away that do not know
    them.
    """

    name: str
    issuers: tuple[Grant, ...] | None = ()
    wildcard: tuple[Grant, ...] | None = None
    smime: tuple[str, ...] | None = None
    vmc: tuple[str, ...] | None = None
    reports: tuple[str, ...] = ()
    contact_emails: tuple[str, ...] = ()
    contact_phones: tuple[str, ...] = ()
    critical: bool = False


def generate_records(intent: Intent) -> tuple[CAARecord, ...]:
    """The records that say what is meant, in the order issue, issuewild, the rest.

    Raises `MalformedError` for a domain, account, method or address that no record can
    hold, and `ConfigError` for an intent that has nothing to say.
    """
    made = tuple(dict.fromkeys(_records(intent)))
    if not made:
        raise ConfigError(
            f"{intent.name}: nothing is restricted, so there is no record to make",
            hint="without CAA every CA may issue",
        )
    return made


def _records(intent: Intent) -> Iterator[CAARecord]:
    flags = ISSUER_CRITICAL if intent.critical else 0
    wildcard = intent.issuers if intent.wildcard is None else intent.wildcard
    for tag, grants in ((b"issue", intent.issuers), (b"issuewild", wildcard)):
        if grants is not None:
            yield from (CAARecord(flags, tag, value) for value in _values(grants))
    for tag, domains in ((b"issuemail", intent.smime), (b"issuevmc", intent.vmc)):
        if domains is not None:
            grants = tuple(Grant(domain=domain) for domain in domains)
            yield from (CAARecord(0, tag, value) for value in _values(grants))
    for report in intent.reports:
        yield CAARecord(0, b"iodef", _checked(report, parse_iodef))
    for email in intent.contact_emails:
        yield CAARecord(0, b"contactemail", _checked(email, parse_contact_email))
    for phone in intent.contact_phones:
        yield CAARecord(0, b"contactphone", _checked(phone, parse_contact_phone))


def _values(grants: Sequence[Grant]) -> Iterator[bytes]:
    if not grants:
        yield NOBODY
    for grant in grants:
        issuer = normal_issuer(grant.domain)
        methods = _methods(grant.methods)
        for account in grant.account_uris or (None,):
            bound = () if account is None else (Parameter("accounturi", _account(account)),)
            yield to_value(IssueValue(issuer, bound + methods))


def normal_issuer(domain: str) -> str:
    """An issuer domain name as records hold it: in lower case.

    Raises `MalformedError` for anything else than a domain name by the grammar of RFC
    8659 section 4.2.
    """
    text = domain.strip()
    issuer = None
    if text.isascii() and ";" not in text:
        issuer = parse_issue_value(text.encode("ascii")).issuer
    if issuer is None:
        raise MalformedError(
            f"CA {quoted(domain)}: is no issuer domain name",
            hint="such as letsencrypt.org; `pinwarden caa issuers` lists them",
        )
    return issuer.lower()


def _methods(labels: Sequence[str]) -> tuple[Parameter, ...]:
    if not labels:
        return ()
    listed = ",".join(dict.fromkeys(labels))
    if not parse_validation_methods(listed):
        raise MalformedError("validation methods: the list is empty, so nothing would be allowed")
    return (Parameter("validationmethods", listed),)


def _account(uri: str) -> str:
    account = parse_account_uri(uri)
    # RFC 8659 section 4.2: a parameter's value is printable ASCII without these.
    if not account.isascii() or not account.isprintable() or " " in account or ";" in account:
        raise MalformedError(f"account URI {quoted(uri)}: no CAA value can hold its characters")
    return account


def _checked(text: str, parse: Callable[[bytes], object]) -> bytes:
    value = text.encode("utf-8", "surrogateescape")
    parse(value)
    return value
