"""The register of forms."""

from __future__ import annotations

import pytest

from pinwarden.caa.formats.registry import FORMATS, find_form
from pinwarden.errors import ConfigError


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_form_is_described(name: str) -> None:
    """A form has one line for whom it is; an unsafe one says what may happen."""
    form = find_form(name)
    assert form.name == name
    assert form.description
    assert form.safe or form.traps
    assert all("\n" not in text for text in (form.description, *form.traps))


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("external-dns", "has no CAA records"),
        ("terraform", "terraform-route53"),
        ("dnscontroll", "did you mean dnscontrol"),
        ("nonsense", "--list-formats"),
    ],
)
def test_an_unknown_form_gets_an_answer(asked: str, hint: str) -> None:
    """Somebody who asks for what is not there hears why, or what is near."""
    with pytest.raises(ConfigError) as caught:
        find_form(asked)
    assert hint in (caught.value.hint or "")
