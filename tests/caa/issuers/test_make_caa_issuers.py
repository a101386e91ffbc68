"""The script that makes the tables of the issuer map."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

from pinwarden.caa.issuers.map import KEYS_FILE, OWNERS_FILE, load_issuers

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "make_caa_issuers.py"
    spec = importlib.util.spec_from_file_location("make_caa_issuers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_script_makes_the_tables_again(corpus: Path, script: ModuleType) -> None:
    """The tables in the package are what the script makes of the files it names."""
    paths = {
        "CCADB report of CAA identifiers (V2), as read by happyDomain in 2026": (
            "caa/caa_identifiers_2026.json"
        ),
        "CCADB report of CA information, 2017": "caa/ca_information_report_2017.csv",
        "CCADB, all CA certificates": "ccadb/all_ca_certs_2026-08.jsonl.xz",
    }
    domains, former, keys = (
        f"{corpus / paths[source.name]}@{source.date}:{source.name}"
        for source in load_issuers().sources
    )
    options = argparse.Namespace(
        domains=[former, domains],
        certificates=keys,
        owners=corpus / "ccadb/ca_owner_derived.jsonl.gz",
        identifiers=None,
        records=None,
    )
    tables = script.make_tables(options)
    folder = files("pinwarden").joinpath("data")
    assert tables.owners == folder.joinpath(OWNERS_FILE).read_text("ascii")
    assert tables.keys == folder.joinpath(KEYS_FILE).read_text("ascii")


def test_a_file_needs_a_date(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The maintainer says what day a file describes."""
    arguments = ["make_caa_issuers", "--certificates", "certificates.xz", "--owners", "owners.gz"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert script.main() == 2
    assert "certificates.xz has no date" in capsys.readouterr().err
