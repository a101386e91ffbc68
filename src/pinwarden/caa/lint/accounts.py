"""Which service an ACME account belongs to, as far as its URL tells."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Host of the account URLs of a CA's production service -> the CAA domain of that CA.
_PRODUCTION = {
    "acme-v02.api.letsencrypt.org": "letsencrypt.org",
    "acme-v01.api.letsencrypt.org": "letsencrypt.org",
    "dv.acme-v02.api.pki.goog": "pki.goog",
    "acme.zerossl.com": "sectigo.com",
    "acme.sectigo.com": "sectigo.com",
    "api.buypass.com": "buypass.com",
    "acme.ssl.com": "ssl.com",
    "acme.digicert.com": "digicert.com",
}
# Let's Encrypt compares with these prefixes and the account's number.
_LETS_ENCRYPT = re.compile(
    r"https://acme-v0(?:2\.api\.letsencrypt\.org/acme/acct|1\.api\.letsencrypt\.org/acme/reg)/[0-9]+"
)
_TEST_LABEL = re.compile(r"(?:.*-)?(?:staging|stage|stg|test|testing|sandbox|pebble)[0-9]*(?:-.*)?")


def _host(uri: str) -> str:
    try:
        return (urlsplit(uri).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_test_account(uri: str) -> bool:
    """Whether an account URL is one of a test service, whose accounts production never sees."""
    labels = _host(uri).split(".")
    return labels[-1] == "localhost" or any(_TEST_LABEL.fullmatch(each) for each in labels[:-1])


def account_ca(uri: str) -> str | None:
    """The CAA domain of the CA whose production service has this account, if that is known."""
    return _PRODUCTION.get(_host(uri))


def is_lets_encrypt_account(uri: str) -> bool:
    """Whether Let's Encrypt could have given an account this very URL."""
    return _LETS_ENCRYPT.fullmatch(uri) is not None
