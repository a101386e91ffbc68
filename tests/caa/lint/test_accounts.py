"""Which service an account URL is from."""

from __future__ import annotations

import pytest

from pinwarden.caa.lint.accounts import account_ca, is_lets_encrypt_account, is_test_account


@pytest.mark.parametrize(
    ("uri", "test"),
    [
        ("https://acme-v02.api.letsencrypt.org/acme/acct/1", False),
        ("https://acme-staging-v02.api.letsencrypt.org/acme/acct/1", True),
        ("https://dv.acme-v02.test-api.pki.goog/account/x", True),
        ("https://api.test4.buypass.no/acme/acct/1", True),
        ("https://localhost:14000/my-account/1", True),
        ("https://latest.example.com/acct/1", False),
        ("https://contest.example.com/acct/1", False),
        ("https://acme.example.test/acct/1", False),
        ("acct:1@example.com", False),
        ("https://[broken/acct/1", False),
    ],
)
def test_test_services(uri: str, test: bool) -> None:
    """A word of its own in the host name tells, not a part of one, and no top level domain."""
    assert is_test_account(uri) is test


def test_whose_account() -> None:
    """The host of the production service tells; unknown ones tell nothing."""
    assert account_ca("https://acme-v02.api.letsencrypt.org/acme/acct/1") == "letsencrypt.org"
    assert account_ca("https://ACME.SSL.com/acct/1") == "ssl.com"
    assert account_ca("https://acme.example.com/acct/1") is None
    assert account_ca("acct:1@ssl.com") is None


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://acme-v02.api.letsencrypt.org/acme/acct/12345", True),
        ("https://acme-v01.api.letsencrypt.org/acme/reg/12345", True),
        ("https://acme-v02.api.letsencrypt.org/acme/acct/", False),
        ("https://acme-v02.api.letsencrypt.org/acme/reg/1", False),
        ("https://acme-v02.api.letsencrypt.org/acme/acct/1/", False),
        ("http://acme-v02.api.letsencrypt.org/acme/acct/1", False),
    ],
)
def test_form_of_lets_encrypt(uri: str, good: bool) -> None:
    """It compares the whole URL, so anything else can never match."""
    assert is_lets_encrypt_account(uri) is good
