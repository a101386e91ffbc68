"""`pinwarden ct prove`, called as a person or a script calls it, against lab logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.ct.conftest import CT
from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import pem
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.serve import LabServer
from pinwarden.lab.tls import Credentials, LabTLS
from support.ct_world import CTWorld
from support.evidence_recipe import checked_by_recipe
from support.handing_servers import encoded_list, handing_server
from support.proof_world import Promised, authority, pass_time, promised

BOTH = (LogKind.RFC6962, LogKind.STATIC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, so that nothing of the user's is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PINWARDEN_CONTACT", raising=False)
    return tmp_path


@contextmanager
def serving(world: Promised, folder: Path) -> Iterator[LabServer]:
    """The logs on loopback, an hour later; `logs.json` and `chain.pem` are in the folder."""
    with LabServer(list(world.logs)) as server:
        pass_time(world)
        (folder / "logs.json").write_bytes(log_list_json(world.logs))
        (folder / "chain.pem").write_bytes(pem(world.issued.certificate_chain))
        yield server


def test_a_file_is_proven_and_its_bundle_too(ct: CT, tmp_path: Path) -> None:
    """Every log has the entry; the bundle says so offline, after all logs are gone."""
    chain, logs, bundle = (tmp_path / name for name in ("chain.pem", "logs.json", "bundle.json"))
    world = promised(*BOTH)
    with serving(world, tmp_path):
        ran = ct("prove", chain, "--log-list", logs, "-o", bundle)
        again = ct("prove", chain, "--log-list", logs, "--json").line
    assert ran.code == 0, ran
    assert f"{chain}: proven: in 2 of 2 logs" in ran.out
    assert "entry 300, signed tree head of" in ran.out
    assert f"evidence: {bundle}" in ran.out
    assert again["proven"] is True
    assert [each["outcome"] for each in again["scts"]] == ["included"] * 2
    assert [each["head"]["form"] for each in again["scts"]] == ["sth", "checkpoint"]
    assert again["bundle"] is None

    ran = ct("prove", "--verify", bundle, "--log-list", logs)
    assert ran.code == 0, ran
    assert f"{bundle}: proven: certificate of www.example.com, " in ran.out
    line = ct("prove", "--verify", bundle, "--log-list", logs, "--json").line
    assert line["verdict"] == "proven"
    assert line["names"] == ["www.example.com"]
    assert line["certificate_sha256"] == world.issued.fingerprint.hex()
    assert [each["verdict"] for each in line["scts"]] == ["proven"] * 2
    assert [each["index"] for each in line["scts"]] == [300, 300]


def test_a_host_and_what_it_hands_over(ct: CT, tmp_path: Path) -> None:
    """An SCT from the TLS extension is proven beside the embedded ones."""
    world = promised(LogKind.RFC6962)
    handed = encoded_list([world.logs[0].add_chain(world.issued.certificate_chain)])
    trust = tmp_path / "trust.pem"
    trust.write_bytes(pem([authority().root]))
    with (
        serving(world, tmp_path),
        handing_server(Credentials.of(world.issued), sct_list=handed) as port,
    ):
        line = ct(
            *("prove", f"www.example.com:{port}", "--address", "127.0.0.1", "--cafile", trust),
            *("--log-list", tmp_path / "logs.json", "--json", "-o", tmp_path / "bundle.json"),
        ).line
    assert line["verified"] is True
    assert line["proven"] is True
    assert {(each["source"], each["index"]) for each in line["scts"]} == {
        ("embedded", 300),
        ("tls", 301),
    }
    ran = ct("prove", "--verify", tmp_path / "bundle.json", "--log-list", tmp_path / "logs.json")
    assert ran.code == 0
    for number in range(len(line["scts"])):
        checked = checked_by_recipe((tmp_path / "bundle.json").read_bytes(), number, tmp_path)
        assert checked.returncode == 0, checked


def test_an_sct_is_told_as_by_scts(ct: CT, tmp_path: Path) -> None:
    """Whose promise it is has one shape, whoever asks: its log, operator, time and source."""
    world = promised(LogKind.RFC6962)
    bundle, options = tmp_path / "bundle.json", ("--log-list", tmp_path / "logs.json", "--json")
    with serving(world, tmp_path):
        proven = ct("prove", tmp_path / "chain.pem", *options, "-o", bundle).line
    checked = ct("prove", "--verify", bundle, *options).line
    judged = ct("scts", tmp_path / "chain.pem", *options).line
    keys = ("log_id", "log", "operator", "timestamp", "source")
    told = [[each[key] for key in keys] for each in judged["scts"]]
    assert told[0][1]
    assert told[0][3].endswith("Z")
    for line in (proven, checked):
        assert [[each[key] for key in keys] for each in line["scts"]] == told


@pytest.mark.parametrize("kind", BOTH, ids=str)
def test_a_broken_promise(kind: LogKind, ct: CT, tmp_path: Path) -> None:
    """Critical, exit code 1, and the evidence is kept: it is needed more than any other."""
    world = promised(kind, withhold=True)
    options = ("--log-list", tmp_path / "logs.json")
    with serving(world, tmp_path):
        ran = ct("prove", tmp_path / "chain.pem", *options, "-o", tmp_path / "bundle.json")
        line = ct("prove", tmp_path / "chain.pem", *options, "--json").line
    assert ran.code == 1
    assert "NOT PROVEN: in 0 of 1 log" in ran.out
    assert "critical: " in ran.out
    assert [each["id"] for each in line["findings"]] == ["PW-CT-NOT-INCLUDED"]
    assert line["scts"][0]["outcome"] == "missing"
    ran = ct("prove", "--verify", tmp_path / "bundle.json", *options, "--json")
    assert ran.code == 1
    assert ran.line["verdict"] == "not-proven"
    # What nobody signed is told, and accuses nobody.
    expected = ["PW-CT-NOT-INCLUDED"] if kind is LogKind.STATIC else []
    assert [each["id"] for each in ran.line["findings"]] == expected
    word = "broken-promise" if kind is LogKind.STATIC else "claimed"
    assert ran.line["scts"][0]["verdict"] == word


def test_time_left(ct: CT, tmp_path: Path) -> None:
    """Promised just now: not proven, and nothing is wrong."""
    world = CTWorld()
    world.classic.faults.withhold = True
    issued = world.issue(logs=[world.classic])
    (tmp_path / "chain.pem").write_bytes(pem(issued.certificate_chain))
    with world.serving():
        ran = ct(
            *("prove", tmp_path / "chain.pem", "--log-list", world.write_list(tmp_path), "--json")
        )
    assert ran.code == 1
    assert ran.line["scts"][0]["outcome"] == "not-yet"
    assert ran.line["scts"][0]["until"]
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-NOT-YET-INCLUDED"]


def test_one_log_is_silent(ct: CT, tmp_path: Path) -> None:
    """What the other one proves is kept; the exit code says that it is not finished."""
    world = promised(*BOTH)
    options = ("--log-list", tmp_path / "logs.json")
    with serving(world, tmp_path) as server:
        world.logs[1].faults.status = 404
        ran = ct("prove", tmp_path / "chain.pem", *options, "-o", tmp_path / "bundle.json")
        assert ran.code == 3
        assert "proven in part: in 1 of 2 logs" in ran.out
        assert "404" in ran.out
        assert server.logs
    ran = ct("prove", "--verify", tmp_path / "bundle.json", *options, "--json")
    assert ran.code == 1
    assert [each["verdict"] for each in ran.line["scts"]] == ["proven", "open"]


def test_unknown_logs(ct: CT, tmp_path: Path) -> None:
    """Without the list that names its logs nobody is asked, and a bundle is not believed."""
    world = promised(*BOTH)
    with serving(world, tmp_path):
        ran = ct("prove", tmp_path / "chain.pem", "--json")
        assert ran.code == 1
        assert [each["cause"] for each in ran.line["scts"]] == ["unknown-log"] * 2
        assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-SCT-UNKNOWN-LOG"]
        assert all(len(log.visits) == 0 for log in world.logs)
        options = ("--log-list", tmp_path / "logs.json")
        ct("prove", tmp_path / "chain.pem", *options, "-o", tmp_path / "bundle.json")
    ran = ct("prove", "--verify", tmp_path / "bundle.json", "--json")
    assert ran.code == 1
    assert [each["verdict"] for each in ran.line["scts"]] == ["self-vouched"] * 2
    assert ran.line["findings"] == []


def test_no_scts(ct: CT, tmp_path: Path) -> None:
    """There is nothing to prove, which is no pass, and no bundle is written."""
    issued = authority().issue(["plain.example.com"])
    (tmp_path / "chain.pem").write_bytes(pem(issued.certificate_chain))
    ran = ct("prove", tmp_path / "chain.pem", "--json", "-o", tmp_path / "bundle.json")
    assert ran.code == 1
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-NO-SCTS"]
    assert not (tmp_path / "bundle.json").exists()


def test_a_host_that_does_not_answer(ct: CT) -> None:
    """Exit code 3, and why."""
    ran = ct("prove", "127.0.0.1:1")
    assert ran.code == 3
    assert "127.0.0.1:1: not asked: " in ran.out


def test_bundles_of_several_certificates(ct: CT, tmp_path: Path) -> None:
    """A directory takes one each; a file does not."""
    world = promised(LogKind.RFC6962)
    other = authority().issue(["other.example.com"], logs=world.logs)
    (tmp_path / "other.pem").write_bytes(pem(other.certificate_chain))
    (tmp_path / "bundles").mkdir()
    with serving(world, tmp_path):
        both = (tmp_path / "chain.pem", tmp_path / "other.pem")
        options = ("--log-list", tmp_path / "logs.json", "-o")
        refused = ct("prove", *both, *options, tmp_path / "one.json")
        ran = ct("prove", *both, *options, tmp_path / "bundles")
        again = ct("prove", *both, *options, tmp_path / "bundles")
        forced = ct("prove", *both, *options, tmp_path / "bundles", "--force")
    assert refused.code == 2
    assert "name a directory" in refused.err
    assert ran.code == forced.code == 0
    assert again.code == 2
    bundles = sorted((tmp_path / "bundles").iterdir())
    assert len(bundles) == 2
    ran = ct("prove", "--verify", *bundles, "--log-list", tmp_path / "logs.json", "--json")
    assert ran.code == 0
    assert len(ran.lines) == 2


def test_a_bundle_that_is_there_is_kept(ct: CT, tmp_path: Path) -> None:
    """Nobody is asked before it is clear that the evidence can be kept."""
    world = promised(LogKind.RFC6962)
    (tmp_path / "bundle.json").write_text("evidence of something else")
    with serving(world, tmp_path):
        options = ("--log-list", tmp_path / "logs.json", "-o", tmp_path / "bundle.json")
        ran = ct("prove", tmp_path / "chain.pem", *options)
        assert len(world.logs[0].visits) == 0
    assert ran.code == 2
    assert "--force" in ran.err
    assert (tmp_path / "bundle.json").read_text() == "evidence of something else"


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"\x1b[2Jnonsense", b'{"format": "pinwarden-ct-evidence-9"}'], ids=repr
)
def test_what_is_no_bundle(text: bytes, ct: CT, tmp_path: Path) -> None:
    """Refused in one line, with a finding."""
    (tmp_path / "bundle.json").write_bytes(text)
    ran = ct("prove", "--verify", tmp_path / "bundle.json")
    assert ran.code == 1
    assert "REFUSED: evidence bundle: " in ran.out
    line = ct("prove", "--verify", tmp_path / "bundle.json", "--json").line
    assert line["verdict"] == "refused"
    assert [each["id"] for each in line["findings"]] == ["PW-CT-BUNDLE-REFUSED"]


def test_a_changed_bundle(ct: CT, tmp_path: Path) -> None:
    """One character is enough, wherever it stands."""
    world = promised(LogKind.RFC6962)
    with serving(world, tmp_path):
        options = ("--log-list", tmp_path / "logs.json")
        ct("prove", tmp_path / "chain.pem", *options, "-o", tmp_path / "bundle.json")
    text = (tmp_path / "bundle.json").read_text()
    (tmp_path / "bundle.json").write_text(text.replace("Operator 0", "Operator 9"))
    ran = ct("prove", "--verify", tmp_path / "bundle.json", *options)
    assert ran.code == 1
    assert "was changed after it was made" in ran.out
    assert json.loads(text)["format"] == "pinwarden-ct-evidence-1"


def test_usage(ct: CT, tmp_path: Path) -> None:
    """What makes no sense together is said to be so."""
    assert ct("prove").code == 2
    assert ct("prove", "--verify", tmp_path / "no.json").code == 2
    ran = ct("prove", "--verify", tmp_path / "no.json", "-o", tmp_path / "x.json")
    assert ran.code == 2
    assert "a bundle is checked and not made" in ran.err


def test_a_contact_is_needed_outside(ct: CT, tmp_path: Path) -> None:
    """Logs that are not on this machine are asked by somebody, or not at all."""
    world = promised(LogKind.RFC6962)
    with serving(world, tmp_path):
        listed = (tmp_path / "logs.json").read_text()
        (tmp_path / "logs.json").write_text(
            listed.replace(world.logs[0].base_url, "https://log.invalid/")
        )
        ran = ct("prove", tmp_path / "chain.pem", "--log-list", tmp_path / "logs.json")
    assert ran.code == 2
    assert "no contact is set" in ran.err


def test_several_certificates_of_one_host(ct: CT, tmp_path: Path) -> None:
    """Each certificate that a host serves is proven by itself."""
    world = promised(LogKind.RFC6962)
    other = authority().issue(["www.example.com"], logs=world.logs)
    trust = tmp_path / "trust.pem"
    trust.write_bytes(pem([authority().root]))
    with (
        serving(world, tmp_path),
        LabTLS(Credentials.of(world.issued)) as one,
        LabTLS(Credentials.of(other)) as two,
    ):
        ran = ct(
            *("prove", "www.example.com", "--cafile", trust, "--json"),
            *("--address", f"127.0.0.1:{one.port}", "--address", f"127.0.0.1:{two.port}"),
            *("--log-list", tmp_path / "logs.json"),
        )
    assert [each["scts"][0]["index"] for each in ran.lines] == [300, 301]
    assert all(each["proven"] for each in ran.lines)
