"""Profiles: which rules are in force when, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pinwarden.caa.profiles import (
    LETSENCRYPT,
    PROFILES,
    RFC8657_MANDATORY,
    RFC8659,
    profile_at,
    profile_named,
)
from pinwarden.errors import MalformedError

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_has_a_name_and_a_source(name: str) -> None:
    profile = profile_named(name, NOW)
    assert profile.name == name
    assert profile.source


def test_other_profiles_are_refused_in_one_line() -> None:
    with pytest.raises(MalformedError, match="unknown"):
        profile_named("\x1b[0m", NOW)


def test_bindings_become_mandatory_on_the_day() -> None:
    before = profile_at(RFC8657_MANDATORY - timedelta(seconds=1))
    after = profile_at(RFC8657_MANDATORY)
    assert (before.supports_rfc8657, before.br_label_aliases) == (False, False)
    assert (after.supports_rfc8657, after.br_label_aliases) == (True, True)
    assert "4.2.2.1" in after.source


def test_the_baseline_requirements_let_some_failures_pass() -> None:
    assert profile_at(NOW).lookup_failure == "br"
    assert RFC8659.lookup_failure == LETSENCRYPT.lookup_failure == "never"


def test_a_ca_can_understand_more() -> None:
    assert RFC8659.knowing("issuemail").known_tags == RFC8659.known_tags | {"issuemail"}
