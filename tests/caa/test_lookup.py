"""What came of a question, in words."""

from __future__ import annotations

import dns.edns
import pytest

from pinwarden.caa.lookup import ExtendedError

ABBREVIATED = {0: "other error"}


@pytest.mark.parametrize("code", [*dns.edns.EDECode])
def test_extended_errors_as_registered(code: dns.edns.EDECode) -> None:
    """A code of the IANA registry, as dnspython follows it, has the same meaning here."""
    said = ABBREVIATED.get(code, code.name.lower().replace("_", " "))
    meaning = ExtendedError(code).meaning.lower().removesuffix(" answer")
    assert said.removesuffix(" answer") == meaning


@pytest.mark.parametrize("code", [max(dns.edns.EDECode) + 1, 65535])
def test_extended_errors_that_nobody_registered(code: int) -> None:
    assert ExtendedError(code).meaning == ""
