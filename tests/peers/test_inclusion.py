"""Promises of a static-ct log of other people's making, held against it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from peers.sunlight import SunlightLog, sunlight_log
from pinwarden.cli.main import run
from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.lab.submission import sct_from_json
from support.evidence_recipe import checked_by_recipe

pytestmark = pytest.mark.peer

# More than one full tile, and a partial one.
CROWD = 300


@pytest.fixture(scope="module")
def log(ca: CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SunlightLog]:
    """A running log in which a crowd of certificates stands already."""
    key = ca.issue(["bystander.example.org"]).private_key
    crowd = [ca.issue([f"host{i}.example.org"], key=key) for i in range(CROWD)]
    with sunlight_log(tmp_path_factory.mktemp("sunlight"), pem([ca.root])) as running:
        with ThreadPoolExecutor(16) as pool:
            list(
                pool.map(
                    lambda each: running.submit(each.precertificate_chain, precertificate=True),
                    crowd,
                )
            )
        yield running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder of its own, so that nothing of the user's is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


class Submitting:
    """The log as a CA sees it: a precertificate goes in, an SCT comes back."""

    def __init__(self, log: SunlightLog) -> None:
        self._log = log

    def add_pre_chain(self, chain: tuple[bytes, ...]) -> bytes:
        """The SCT of the log, as it is put into the certificate."""
        promise = self._log.submit(chain, precertificate=True)
        return sct_from_json(json.dumps(promise).encode())


def prove(
    log: SunlightLog, issued: Issued, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """`pinwarden ct prove` on the certificate; its bundle is `bundle.json`."""
    (folder / "logs.json").write_bytes(log.log_list)
    (folder / "chain.pem").write_bytes(pem(issued.certificate_chain))
    code = run(
        [
            *("ct", "prove", str(folder / "chain.pem"), "--log-list", str(folder / "logs.json")),
            *("--json", "-o", str(folder / "bundle.json"), "--force"),
        ]
    )
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("by_precert_signer", [False, True])
def test_sunlight_proves_what_it_promised(
    by_precert_signer: bool,
    log: SunlightLog,
    ca: CA,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By its leaf_index and its hash tiles, to its checkpoint; the bundle holds offline."""
    issued = ca.issue(
        ["www.example.org"], logs=[Submitting(log)], by_precert_signer=by_precert_signer
    )
    code, line = prove(log, issued, tmp_path, capsys)
    assert code == 0, line
    (sct,) = line["scts"]
    assert sct["outcome"] == "included"
    assert sct["index"] >= CROWD
    assert sct["head"]["form"] == "checkpoint"
    logs = str(tmp_path / "logs.json")
    bundle = str(tmp_path / "bundle.json")
    assert run(["ct", "prove", "--verify", bundle, "--log-list", logs]) == 0
    assert "proven: certificate of www.example.org" in capsys.readouterr().out
    ran = checked_by_recipe((tmp_path / "bundle.json").read_bytes(), 0, tmp_path)
    assert ran.returncode == 0, ran
    assert ran.stdout.endswith("proven:     DNS:www.example.org\n")


def test_an_sct_moved_to_another_certificate(
    log: SunlightLog, ca: CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the log promised for one certificate it did not for another: nobody is asked."""
    first = ca.precertify(["first.example.org"])
    sct = Submitting(log).add_pre_chain((first.der, *first.chain))
    moved = ca.complete(ca.precertify(["second.example.org"]), [sct])
    code, line = prove(log, moved, tmp_path, capsys)
    assert code == 1
    assert [each["cause"] for each in line["scts"]] == ["not-valid"]
    assert [each["id"] for each in line["findings"]] == ["PW-CT-SCT-BAD-SIGNATURE"]


def test_the_certificate_itself_is_an_entry_too(log: SunlightLog, ca: CA, tmp_path: Path) -> None:
    """An SCT for the certificate as a whole, as it comes in the TLS extension."""
    issued = ca.issue(["whole.example.org"])
    promise = log.submit(issued.certificate_chain, precertificate=False)
    sct = sct_from_json(json.dumps(promise).encode())
    (tmp_path / "scts").write_bytes(
        (len(sct) + 2).to_bytes(2, "big") + len(sct).to_bytes(2, "big") + sct
    )
    (tmp_path / "logs.json").write_bytes(log.log_list)
    (tmp_path / "chain.pem").write_bytes(pem(issued.certificate_chain))
    options = ("--log-list", str(tmp_path / "logs.json"), "--sct-list", str(tmp_path / "scts"))
    bundle = tmp_path / "bundle.json"
    assert run(["ct", "prove", str(tmp_path / "chain.pem"), *options, "-o", str(bundle)]) == 0
    ran = checked_by_recipe(bundle.read_bytes(), 0, tmp_path)
    assert ran.returncode == 0, ran
    assert base64.b64decode(promise["id"]) == base64.b64decode(log.described["log_id"])
