"""`pinwarden ct prove` of several targets, and the places where it puts bundles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.ct.conftest import CT
from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import pem
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.serve import LabServer
from support.handing_servers import encoded_list
from support.proof_world import Promised, authority, pass_time, promised


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, so that nothing of the user's is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PINWARDEN_CONTACT", raising=False)
    return tmp_path


@pytest.fixture
def world() -> Promised:
    """One log, which has promised a certificate."""
    return promised(LogKind.RFC6962, crowd=3)


@pytest.fixture
def log(world: Promised, tmp_path: Path) -> Iterator[LabLog]:
    """The log, on loopback; `logs.json` and `chain.pem` are in the folder."""
    with serving(world, tmp_path):
        yield world.logs[0]


@contextmanager
def serving(world: Promised, folder: Path) -> Iterator[None]:
    with LabServer(list(world.logs)):
        pass_time(world)
        (folder / "logs.json").write_bytes(log_list_json(world.logs))
        (folder / "chain.pem").write_bytes(pem(world.issued.certificate_chain))
        yield


def test_several_are_asked_about_at_a_time(ct: CT, world: Promised, tmp_path: Path) -> None:
    """The answers are in the order of the targets, whichever came first."""
    names = [f"host-{number}.example.com" for number in range(6)]
    files = [tmp_path / f"{name}.pem" for name in names]
    for name, file in zip(names, files, strict=True):
        issued = authority().issue([name], logs=world.logs)
        file.write_bytes(pem(issued.certificate_chain))
    with serving(world, tmp_path):
        world.logs[0].faults.slow = 0.1
        ran = ct("prove", *files, "--log-list", tmp_path / "logs.json", "--json")
    assert ran.code == 0, ran
    assert [each["target"] for each in ran.lines] == list(map(str, files))
    assert [each["scts"][0]["index"] for each in ran.lines] == [4, 5, 6, 7, 8, 9]
    assert world.logs[0].visits.most_at_once > 1


def test_two_scts_of_one_log_are_one_log(ct: CT, log: LabLog, tmp_path: Path) -> None:
    """Nobody takes the same log for two."""
    chain = tmp_path / "chain.pem"
    issued = authority().issue(["www.example.com"], logs=[log])
    chain.write_bytes(pem(issued.certificate_chain))
    handed = encoded_list([log.add_chain(issued.certificate_chain)])
    (tmp_path / "scts").write_bytes(handed)
    log.publish()
    options = ("--log-list", tmp_path / "logs.json", "--sct-list", tmp_path / "scts")
    ran = ct("prove", chain, *options)
    assert ran.code == 0
    assert f"{chain}: proven: in 1 of 1 log, by 2 of 2 SCTs\n" in ran.out


def test_a_bundle_on_stdout(ct: CT, log: LabLog, tmp_path: Path) -> None:
    """It is the answer then, and what is said of it the conversation."""
    options = ("--log-list", tmp_path / "logs.json")
    ran = ct("prove", tmp_path / "chain.pem", *options, "-o", "-")
    assert ran.code == 0
    assert "proven: in 1 of 1 log" in ran.err
    assert not Path("-").exists()
    (tmp_path / "bundle.json").write_text(ran.out)
    assert ct("prove", "--verify", tmp_path / "bundle.json", *options).code == 0
    assert ct("prove", tmp_path / "chain.pem", *options, "-o", "-", "--json").code == 2


def test_the_same_target_twice(ct: CT, log: LabLog, tmp_path: Path) -> None:
    """As of a host that hands over two sets of SCTs: no bundle takes the place of another."""
    (tmp_path / "bundles").mkdir()
    chain, options = tmp_path / "chain.pem", ("--log-list", tmp_path / "logs.json")
    ran = ct("prove", chain, chain, *options, "-o", tmp_path / "bundles", "--force", "--json")
    assert ran.code == 0
    first, second = (each["bundle"] for each in ran.lines)
    assert second == first.replace(".json", "-2.json")
    assert len(list((tmp_path / "bundles").iterdir())) == 2


@pytest.mark.parametrize("place", ["nowhere/bundle.json", "bundles"])
def test_a_place_that_will_not_do(place: str, ct: CT, log: LabLog, tmp_path: Path) -> None:
    """It is said before any log is asked."""
    options = ("--log-list", tmp_path / "logs.json", "-o", tmp_path / place)
    if place == "bundles":
        (tmp_path / place).mkdir()
        assert ct("prove", tmp_path / "chain.pem", *options).code == 0
        log.visits.clear()
    ran = ct("prove", tmp_path / "chain.pem", *options)
    assert ran.code == 2
    assert ran.out == ""
    assert len(log.visits) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_was_proven_is_told_though_it_cannot_be_kept(
    ct: CT, log: LabLog, tmp_path: Path
) -> None:
    """A disk that is full takes the bundle, and not the answer."""
    place = tmp_path / "bundle.json"
    place.symlink_to("/dev/full")
    options = ("--log-list", tmp_path / "logs.json", "-o", place, "--force")
    ran = ct("prove", tmp_path / "chain.pem", *options, "--json")
    assert ran.code == 2
    assert ran.line["proven"] is True
    assert ran.line["bundle"] is None
    assert "no ordinary file" in ran.err


def test_a_bundle_where_a_certificate_is_meant(ct: CT, log: LabLog, tmp_path: Path) -> None:
    """Whoever forgot an option is told which."""
    options = ("--log-list", tmp_path / "logs.json")
    assert ct("prove", tmp_path / "chain.pem", *options, "-o", tmp_path / "b.json").code == 0
    ran = ct("prove", tmp_path / "b.json", *options)
    assert ran.code == 2
    assert "is an evidence bundle" in ran.err
    assert "hint: --verify checks it" in ran.err
