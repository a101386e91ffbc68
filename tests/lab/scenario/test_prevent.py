"""The scenes about CAA hold in an honest world, and fail where the shield would not help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pinwarden.lab.dns import LabDNS
from pinwarden.lab.scenario.prevent import DOMAIN, ROGUE, Prevent, name_servers
from pinwarden.lab.scenario.stage import Stage

Play = Callable[[LabDNS, LabDNS, bool], dict[str, bool]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def told(first: LabDNS, second: LabDNS, drops: bool) -> dict[str, bool]:
        stage = Stage(folder=tmp_path, tell=lambda _: None)
        with first, second:
            prevent = Prevent(stage, first, second, drops=drops)
            prevent.policy()
            prevent.damage()
        return {check.name: check.passed for check in stage.checks}

    return told


def test_the_policy_answers_and_the_damage_is_found(play: Play) -> None:
    told = play(*name_servers(), True)
    assert len(told) == 4
    assert all(told.values())


def test_damage_that_is_not_there_is_not_found(play: Play) -> None:
    told = play(*name_servers(), False)
    assert not told.pop("the damage is found, at this server and no other")
    assert all(told.values())


def test_silence_is_neither_permission_nor_refusal(play: Play) -> None:
    first, second = name_servers()
    first.faults["*"] = "servfail"
    told = play(first, second, True)
    assert len(told) == 4
    assert not any(told.values())


def test_a_policy_that_permits_the_rogue_ca_fails(play: Play) -> None:
    class Opened(LabDNS):
        """A server where somebody always adds the rogue CA."""

        def set_zone(self, origin: str, text: str) -> None:
            super().set_zone(origin, f'{text}\n@ 60 IN CAA 0 issue "{ROGUE}"\n')

    _, second = name_servers()
    told = play(Opened({DOMAIN: ""}), second, True)
    assert told == {
        "your CA may issue for you": True,
        "the rogue CA may not": False,
        "the damage is found, at this server and no other": False,
        "both serve what you meant": False,
    }
