"""`pinwarden pin rotate`: the plan, every step against real servers, and every refusal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.pin.conftest import Pin, Served
from cli.watching import Home
from pinwarden.lab.ca import CA, pem
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.pinning import PinSet
from pinwarden.pinning.policy import PinRole
from support.pin_world import HOST, policy, world
from support.ran import Ran

TRUST = ("--cafile", world().cafile, "-4")
TODAY = datetime.now(UTC).date()
PINS = world().pins
LEAF, ROGUE, SPARE, STRAY = (PINS[each] for each in ("leaf", "rogue-leaf", "spare", "stray"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The genuine leaf is pinned, and the other server's leaf is the backup."""
    path = tmp_path / "pins.toml"
    path.write_text(
        f'# Ask Ada.\n[[policy]]\nhost = "{HOST}"\nmode = "enforce"\n'
        f'leaf_pins = ["{LEAF}"] # the old one\nbackup_pins = ["{ROGUE}"]\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def rotate(pin: Pin, served: Served, file: Path) -> Any:
    """Runs the command against the server of a chain."""

    def call(chain: str, *arguments: str | Path, json: bool = True) -> Ran:
        as_json = ("--json",) if json else ()
        return pin("rotate", file, "--host", served(chain), *TRUST, *as_json, *arguments)

    return call


def _planned(ran: Ran) -> dict[str, str]:
    return {each["step"]: each["done"] or each["planned"] for each in ran.line["steps"]}


def test_a_plan_changes_nothing(rotate: Any, file: Path) -> None:
    before = file.read_bytes()
    ran = rotate("genuine")
    assert ran.code == 0
    assert (ran.line["old"], ran.line["new"]) == ([str(LEAF)], str(ROGUE))
    assert (ran.line["stage"], ran.line["next_step"]) == (None, "prepare")
    assert (ran.line["done"], ran.line["written"], ran.line["diff"]) == ([], False, "")
    assert list(_planned(ran)) == ["prepare", "publish", "switch", "promote", "retire"]
    assert ran.line["habit"]["renewals"] == 0
    assert file.read_bytes() == before
    spoken = rotate("genuine", json=False)
    assert "planned for" in spoken.out
    assert "--history learns it" in spoken.out


def test_from_the_first_step_to_the_last(rotate: Any, file: Path) -> None:
    """With every step that comes too early refused on the way."""
    refused = rotate("genuine", "--do", "prepare")
    assert refused.code == 1
    assert "is the last backup" in refused.err
    ran = rotate("genuine", "--do", "prepare", "--backup", str(SPARE), "--client-lag", "3")
    assert (ran.code, ran.line["stage"], ran.line["written"]) == (0, "prepared", True)
    assert '+stage = "prepared"' in ran.line["diff"]
    assert rotate("genuine", "--do", "switch").code == 1
    assert rotate("genuine", "--do", "publish").code == 0
    early = rotate("genuine", "--do", "switch")
    assert early.code == 1
    assert str(TODAY + timedelta(days=4)) in early.err
    assert rotate("rogue", "--do", "promote").code == 1
    # Time passes: so does the date in the file, for the test.
    past = TODAY - timedelta(days=4)
    text = file.read_text().replace(f"published = {TODAY}", f"published = {past}")
    file.write_text(text)
    assert rotate("genuine", "--do", "switch").line["stage"] == "switching"
    assert "does not serve the new key" in rotate("genuine", "--do", "promote").err
    assert rotate("rogue", "--do", "promote").line["stage"] == "promoted"
    kept = rotate("genuine", "--do", "retire")
    assert kept.code == 1
    assert "still serves the old key" in kept.err
    ran = rotate("rogue", "--do", "retire", "--forbid", json=False)
    assert ran.code == 0
    assert "the rotation is over" in ran.out
    text = file.read_text()
    assert text.startswith("# Ask Ada.\n")
    assert "# the old one" in text
    assert "rotation" not in text
    found = PinSet.load(str(file)).policies[0]
    assert found.pins(PinRole.LEAF) == {ROGUE}
    assert found.pins(PinRole.BACKUP) == {SPARE}
    assert found.pins(PinRole.FORBIDDEN) == {LEAF}


def test_several_steps_at_once_or_none(rotate: Any, file: Path) -> None:
    """A stolen key: clients have known the backup for long, so all goes in one day."""
    before = file.read_bytes()
    long_ago = ("--published", "2026-01-01")
    start = ("--do", "prepare", "--backup", str(SPARE), "--do", "publish", *long_ago)
    refused = rotate("genuine", *start, "--do", "switch", "--do", "promote")
    assert refused.code == 1
    assert "nothing was written" in refused.err
    assert file.read_bytes() == before
    whole = rotate("rogue", *start, "--do", "switch", "--do", "promote", "--do", "retire")
    assert whole.code == 0
    assert whole.line["done"] == ["prepare", "publish", "switch", "promote", "retire"]
    assert PinSet.load(str(file)).policies[0].pins(PinRole.LEAF) == {ROGUE}


def test_a_dry_run(rotate: Any, file: Path) -> None:
    before = file.read_bytes()
    ran = rotate("genuine", "--do", "prepare", "--backup", str(SPARE), "--dry-run")
    assert (ran.code, ran.line["written"], ran.line["done"]) == (0, False, ["prepare"])
    assert str(SPARE) in ran.line["diff"]
    assert file.read_bytes() == before


def test_going_back(rotate: Any, file: Path) -> None:
    before = file.read_text()
    start = ("--do", "prepare", "--new", str(STRAY), "--do", "publish")
    assert rotate("genuine", *start).code == 0
    assert rotate("genuine", "--do", "abort").code == 0
    assert PinSet.parse(file.read_text()) == PinSet.parse(before)


def test_a_new_key_from_a_file(rotate: Any, file: Path, tmp_path: Path) -> None:
    ca = CA("Next")
    (tmp_path / "next.pem").write_bytes(pem([ca.intermediate]))
    ran = rotate("genuine", "--do", "prepare", "--new", tmp_path / "next.pem")
    assert ran.code == 0
    found = {key.comment: key for key in PinSet.load(str(file)).policies[0].keys}
    (key,) = [each for comment, each in found.items() if "Next E1" in comment]
    assert key.kind == "intermediate"
    assert key.expires is not None


def test_an_option_that_means_nothing_is_an_error(rotate: Any, pin: Pin, file: Path) -> None:
    """Whoever gives it expects something to happen that will not."""
    for arguments in (
        ("--published", "2026-01-01"),
        ("--forbid",),
        ("--dry-run",),
        ("--do", "prepare", "--at", "2026-01-01"),
        ("--new", "x"),
        ("--new", "A" * 43 + "="),
        ("--old", str(STRAY), "--do", "prepare", "--backup", str(SPARE), "--at", "x"),
        ("--client-lag", "-1"),
        ("--do", "nonsense"),
        ("--chain", "absent.pem"),
    ):
        ran = rotate("genuine", *arguments)
        assert (ran.code, ran.out) == (2, ""), arguments
    assert pin("rotate", "-").code == 2
    assert pin("rotate", file.parent / "absent.toml").code == 2
    assert pin("rotate", file, "--host", "elsewhere.example").code == 2


def test_a_rotation_under_way_keeps_its_keys(rotate: Any) -> None:
    assert rotate("genuine", "--do", "prepare", "--new", str(STRAY)).code == 0
    assert rotate("genuine", "--new", str(SPARE)).code == 2
    assert rotate("genuine", "--client-lag", "1").code == 2
    assert rotate("genuine", "--new", str(STRAY), "--client-lag", "30").code == 0
    again = rotate("genuine", "--do", "prepare", "--new", str(STRAY))
    assert again.code == 1
    assert "under way" in again.err


def test_a_host_that_is_away(pin: Pin, file: Path) -> None:
    """A plan says what it does not know; a step that needs it is not taken."""
    away = ("--host", f"{HOST}:1", *TRUST)
    ran = pin("rotate", file, *away)
    assert ran.code == 0
    assert "not checked: " in ran.out
    start = ("--do", "prepare", "--backup", str(SPARE), "--do", "publish")
    assert pin("rotate", file, *away, *start, "--published", "2026-01-01").code == 0
    assert pin("rotate", file, *away, "--do", "switch").code == 0
    assert pin("rotate", file, *away, "--do", "promote").code == 3


def test_an_untrusted_certificate_is_not_the_new_key(rotate: Any, file: Path) -> None:
    """The sent chain proves nothing, whatever is in it."""
    start = ("--do", "prepare", "--backup", str(SPARE), "--do", "publish")
    long_ago = ("--published", "2026-01-01")
    assert rotate("genuine", *start, *long_ago, "--do", "switch").code == 0
    for chain in ("forged", "self-signed", "expired"):
        assert rotate(chain, "--do", "promote").code == 3
    # Stuffed with the old chain, which is not part of the verified one: the new key it is.
    assert rotate("stuffed", "--do", "promote").code == 0
    assert rotate("stuffed", "--do", "retire").code == 0


def test_a_chain_in_a_file(pin: Pin, file: Path, files: Path) -> None:
    ran = pin("rotate", file, "--chain", files / "chain.pem", *TRUST, "--json")
    assert ran.code == 0
    assert ran.line["ends"] is not None
    (files / "empty.pem").write_bytes(pem([]) + (files / "key.pem").read_bytes())
    assert pin("rotate", file, "--chain", files / "empty.pem", *TRUST).code == 2


def test_which_of_several_keys(pin: Pin, served: Served, tmp_path: Path) -> None:
    """The one that is served, if that is clear; else it has to be said."""
    path = tmp_path / "several.toml"
    path.write_text(PinSet([policy(HOST, leaf=("leaf", "stray"))]).to_toml())
    ran = pin("rotate", path, "--host", served("genuine"), *TRUST, "--json")
    assert ran.line["old"] == [str(LEAF)]
    path.write_text(PinSet([policy(HOST, ca=("intermediate", "root"))]).to_toml())
    ran = pin("rotate", path, "--host", served("genuine"), *TRUST, "--json")
    assert ran.line["old"] == [str(PINS["intermediate"]), str(PINS["root"])]
    path.write_text(PinSet([policy(HOST, leaf=("leaf", "rogue-leaf"))]).to_toml())
    places = [f"127.0.0.1:{served(chain).rpartition(':')[2]}" for chain in ("genuine", "rogue")]
    addresses = [each for place in places for each in ("--address", place)]
    ran = pin("rotate", path, *addresses, *TRUST)
    assert ran.code == 2
    assert "--old" in ran.err
    ran = pin("rotate", path, *addresses, *TRUST, "--old", str(LEAF), "--json")
    assert ran.line["old"] == [str(LEAF)]


def test_a_plan_as_of_another_day(rotate: Any) -> None:
    ran = rotate("genuine", "--at", "2026-06-01")
    assert _planned(ran)["prepare"] == "2026-06-01"
    late = rotate("genuine", "--client-lag", "3000")
    assert any("renew it with the same key once more" in each for each in late.line["warnings"])


def test_the_lint_knows_of_it(rotate: Any, pin: Pin, served: Served, file: Path) -> None:
    """A new key that is served before its time is told."""
    start = ("--do", "prepare", "--backup", str(SPARE), "--do", "publish")
    assert rotate("genuine", *start).code == 0
    early = rotate("rogue")
    assert any("served already" in each for each in early.line["warnings"])
    ran = pin("lint", file, "--host", served("rogue"), *TRUST, "--json")
    assert "PW-PIN-ROTATION-LATE" in {each["id"] for each in ran.line["findings"]}


def test_the_habit_from_the_store(rotate: Any, tmp_path: Path) -> None:
    """Five certificates, each 60 days after the last, one renewal with a new key."""
    ca, log, home = CA("Seen"), LabLog("seen"), Home(tmp_path)
    now = datetime.now(UTC)
    names, issued = [HOST, "www.seen.example"], []
    for age in (300, 240, 180, 120, 60):
        key = None if age in (300, 120) else issued[-1].private_key
        start = now - timedelta(days=age)
        issued.append(ca.issue(names, key=key, not_before=start))
    with LabServer([log]):
        for each in issued:
            log.add_certificate(each.certificate_chain)
        home.configure(watch=[".seen.example"], start="beginning")
        home.list_logs(log)
        home.configured_once().checked(1)
    ran = rotate("genuine", "--history", "-c", home.config)
    assert ran.code == 0, ran.err
    # The genuine one, which is served, came last: with a key of its own.
    assert ran.line["habit"]["renewals"] == 5
    assert ran.line["habit"]["new_keys"] == 2
    assert ran.line["habit"]["period_days"] == 60
    absent = f"sqlite:///{tmp_path / 'absent.db'}"
    assert rotate("genuine", "--history", "--store", absent).code == 2


def test_dates_in_the_file_are_dates(rotate: Any, file: Path) -> None:
    assert rotate("genuine", "--do", "prepare", "--new", str(STRAY)).code == 0
    assert re.search(r"^prepared = [0-9]{4}-[0-9]{2}-[0-9]{2}$", file.read_text(), re.MULTILINE)


def test_a_server_that_goes_back(rotate: Any, pin: Pin, served: Served, file: Path) -> None:
    """The old pin stays as long as any address needs it, and abort is open until it is gone."""
    past = ("--do", "publish", "--published", str(TODAY - timedelta(days=40)))
    rotate("genuine", "--backup", STRAY, "--do", "prepare", *past, "--do", "switch")
    assert rotate("rogue", "--do", "promote").code == 0
    before = file.read_bytes()
    both = [
        part
        for chain in ("rogue", "genuine")
        for part in ("--address", f"127.0.0.1:{served(chain).rpartition(':')[2]}")
    ]
    asked = ("--host", HOST, *both, "--cafile", world().cafile)
    for ran in (rotate("genuine", "--do", "retire"), pin("rotate", file, *asked, "--do", "retire")):
        assert ran.code == 1
        assert "still serves the old key alone" in ran.err
        assert file.read_bytes() == before
    ran = pin("rotate", file, *asked, "--do", "abort")
    assert ran.code == 0
    pins = PinSet.load(file)
    assert pins.policies[0].pins(PinRole.LEAF) == {LEAF}
    assert ROGUE in pins.policies[0].pins(PinRole.BACKUP)


def test_a_clock_that_was_put_back(rotate: Any) -> None:
    """A new pin cannot have been published before it came into the file, whatever the day."""
    rotate("genuine", "--new", SPARE, "--do", "prepare")
    yesterday = ("--at", str(TODAY - timedelta(days=1)), "--dry-run")
    ran = rotate("genuine", "--do", "publish", *yesterday)
    assert ran.code == 1
    assert "the new pin came into the set on" in ran.err
    assert rotate("genuine", "--do", "publish").code == 0
    ran = rotate("genuine", "--do", "switch", *yesterday)
    assert ran.code == 1
    assert "clients may be without the new pin" in ran.err
