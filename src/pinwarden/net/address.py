"""Whom we may ask, and as whom: the rules about URLs and about our own contact."""

from __future__ import annotations

import re

from yarl import URL

from pinwarden.ct.logurl import is_loopback_host
from pinwarden.errors import ConfigError, quoted

_CONTACT_HINT = (
    "say whom a log operator may write to: configuration key `contact`, option --contact "
    "or environment variable PINWARDEN_CONTACT, an e-mail address or an https URL"
)
# No white space and no parentheses: the contact stands in a comment of the User-Agent.
_CONTACT = re.compile(
    r"https://[!-'*-;=?-~]+"
    r"|[!-'*-;=?A-~]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_MOST_CONTACT = 254
# No user information, and nothing in the authority that two parsers could read differently.
_URL = re.compile(
    r"(https?)://([A-Za-z0-9._-]+(?::[0-9]+)?|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?)"
    r"(?:[/?][!-~]*)?"
)


def verify_contact(contact: str) -> None:
    """Raise ConfigError unless `contact` is an e-mail address or an https URL."""
    if len(contact) > _MOST_CONTACT or not _CONTACT.fullmatch(contact):
        raise ConfigError(
            f"contact {quoted(contact)} is neither an e-mail address nor an https URL",
            hint=_CONTACT_HINT,
        )


def verify_url(url: str, contact: str | None) -> str:
    """The scheme and authority of a URL that may be asked.

    Raises ConfigError when it is not http(s), not TLS and not literally
    loopback, or leaves this machine while no contact is set.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ConfigError(f"URL {quoted(url)} is not a plain http or https URL")
    try:
        host = URL(url, encoded=True).host or ""
    except ValueError:
        raise ConfigError(f"URL {quoted(url)} has no readable host") from None
    if not is_loopback_host(host):
        if match[1] != "https":
            raise ConfigError(
                f"URL {quoted(url)} is not https",
                hint="only a literal loopback address may be asked without TLS",
            )
        if contact is None:
            raise ConfigError(f"URL {quoted(url)}: no contact is set", hint=_CONTACT_HINT)
    return f"{match[1]}://{match[2]}"
