"""Where a domain wants to be written to: iodef, contactemail and contactphone."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from pinwarden.caa.parameters import parse_account_uri
from pinwarden.errors import MalformedError, quoted

# RFC 5322 section 3.2.3, extended beyond ASCII by RFC 6532 section 3.2. White space
# and controls beyond ASCII are no part of an address that anybody could mean.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED_STRING = re.compile(
    r'"(?:[\x20\t\x21\x23-\x5b\x5d-\x7e\u00a1-\U0010ffff]|\\[\x20-\x7e\t])*"'
)
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9_\u00a1-\U0010ffff](?:[A-Za-z0-9_\-\u00a1-\U0010ffff]{0,61}"
    r"[A-Za-z0-9_\u00a1-\U0010ffff])?\.)*"
    r"[A-Za-z0-9_\u00a1-\U0010ffff](?:[A-Za-z0-9_\-\u00a1-\U0010ffff]{0,61}"
    r"[A-Za-z0-9_\u00a1-\U0010ffff])?"
)
# RFC 5321 section 4.5.3.1, and 2 octets of a path's brackets.
_ADDRESS_LIMIT = 254
_DOMAIN_LIMIT = 253

# RFC 3966 section 3: global-number-digits = "+" *phonedigit DIGIT *phonedigit. The
# Baseline Requirements add single blanks between them, as in their own examples.
_PHONE_DIGITS = re.compile(r"\+[0-9.()\-]+(?: [0-9.()\-]+)*")
_PHONE_PARAMETER = re.compile(
    r"[A-Za-z0-9-]+(?:=(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})+)?"
)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")


def parse_iodef(value: bytes) -> str:
    """The URL in an iodef property (RFC 8659 section 4.4): mailto, http or https.

    Raises `MalformedError` for anything else, for a mailto URL without an address
    (RFC 6068) and for a web address without a host.
    """
    subject = f"iodef value {quoted(value)}"
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{subject}: is not ASCII", hint="write it as %XX") from error
    try:
        url = parse_account_uri(text)
    except MalformedError as error:
        raise MalformedError(f"{subject}: is no URL", hint=_iodef_hint(text)) from error
    scheme, _, rest = url.partition(":")
    if scheme.lower() not in ("mailto", "http", "https"):
        raise MalformedError(
            f"{subject}: has scheme {quoted(scheme)}, not mailto, http or https",
            hint=_iodef_hint(text),
        )
    if scheme.lower() == "mailto":
        _check_recipients(rest.partition("?")[0].partition("#")[0], subject)
    return url


def _iodef_hint(text: str) -> str | None:
    if "@" in text and "/" not in text and ":" not in text:
        return f"write mailto:{text.strip()[:_ADDRESS_LIMIT]}" if text.isprintable() else None
    return "write a URL such as mailto:security@example.com"


def _check_recipients(text: str, subject: str) -> None:
    """RFC 6068 section 2: to = addr-spec *("," addr-spec), with percent-encoding."""
    for each in text.split(","):
        octets = b"".join(
            bytes.fromhex(part) if index % 2 else part.encode("ascii")
            for index, part in enumerate(_PERCENT.split(each))
        )
        try:
            _check_address(octets.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise MalformedError(f"{subject}: address is not UTF-8") from error
        except MalformedError as error:
            raise MalformedError(f"{subject}: {error}", hint=error.hint) from error


def parse_contact_email(value: bytes) -> str:
    """The address in a contactemail property (TLS Baseline Requirements A.1.1).

    The whole value is one address by RFC 6532 section 3.2, without padding, name or
    brackets. Raises `MalformedError`.
    """
    subject = f"contactemail value {quoted(value)}"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{subject}: is not UTF-8") from error
    try:
        _check_address(text)
    except MalformedError as error:
        raise MalformedError(f"{subject}: {error}", hint=error.hint) from error
    return text


def _check_address(text: str) -> None:
    """Whether this is an addr-spec (RFC 5322 section 3.4.1) without comments and folding."""
    shown = quoted(text)
    local, at, domain = text.rpartition("@")
    if not at:
        raise MalformedError(f"address {shown} has no @", hint="write local-part@domain")
    if len(text.encode("utf-8")) > _ADDRESS_LIMIT:
        raise MalformedError(f"address {shown} is longer than {_ADDRESS_LIMIT} octets")
    if any(not character.isprintable() for character in text.replace("\t", " ")):
        raise MalformedError(f"address {shown} has an invisible character in it")
    if not _DOT_ATOM.fullmatch(local) and not _QUOTED_STRING.fullmatch(local):
        raise MalformedError(f"address {shown} has no valid local part", hint=_address_hint(text))
    if not _is_mail_domain(domain):
        raise MalformedError(f"address {shown} has no valid domain", hint=_address_hint(text))


def _address_hint(text: str) -> str | None:
    if text.lower().startswith("mailto:"):
        return "leave out mailto:"
    if "<" in text or ">" in text:
        return "write the address alone, without a name and without brackets"
    if " " in text or "," in text or ";" in text:
        return "write one address, without blanks; publish one record for each"
    return None


def _is_mail_domain(text: str) -> bool:
    if not text.startswith("["):
        return len(text) <= _DOMAIN_LIMIT and _DOMAIN.fullmatch(text) is not None
    literal = text[1:-1] if text.endswith("]") else ""
    try:
        if literal.lower().startswith("ipv6:"):
            return "%" not in literal and bool(IPv6Address(literal[5:]).exploded)
        return bool(IPv4Address(literal).exploded)
    except ValueError:
        return False


def parse_contact_phone(value: bytes) -> str:
    """The number in a contactphone property (TLS Baseline Requirements A.1.2).

    The whole value is a global number by RFC 3966 section 5.1.4: `+`, the country
    code, digits with `-`, `.`, `(`, `)` and single blanks between them, and parameters.
    Raises `MalformedError`.
    """
    subject = f"contactphone value {quoted(value)}"
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError(f"{subject}: is not ASCII") from error
    number, *parameters = text.split(";")
    if not _PHONE_DIGITS.fullmatch(number) or not any(map(str.isdigit, number)):
        raise MalformedError(f"{subject}: is no global number", hint=_phone_hint(text))
    if not all(map(_PHONE_PARAMETER.fullmatch, parameters)):
        raise MalformedError(f"{subject}: has a parameter that is none")
    return text


def _phone_hint(text: str) -> str:
    if text.lower().startswith("tel:"):
        return "leave out tel:"
    if " " in text and text.strip().startswith("+"):
        return "leave out blanks at the ends, and all but one between digits"
    return "begin with + and the country code"
