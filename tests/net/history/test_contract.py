"""What history can be searched for."""

from __future__ import annotations

import pytest

from pinwarden.errors import MalformedError
from pinwarden.net.history.contract import concerns, searched_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Shop.Example.", "shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:DB8::1]", "2001:db8::1"),
    ],
)
def test_names_and_addresses(text: str, name: str) -> None:
    """As certificates write them."""
    assert searched_name(text) == name


@pytest.mark.parametrize("text", ["", "*.shop.example", ".shop.example", "a b", "%"], ids=repr)
def test_patterns_are_no_names(text: str) -> None:
    """A service would take some for a pattern, and answer for others."""
    with pytest.raises(MalformedError):
        searched_name(text)


def test_an_address_is_concerned_by_itself_only() -> None:
    """No wildcard stands for an address."""
    assert concerns(["192.0.2.7"], "192.0.2.7", below=False)
    assert not concerns(["*.0.2.7", "x.192.0.2.7"], "192.0.2.7", below=True)
