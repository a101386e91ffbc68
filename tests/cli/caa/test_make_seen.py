"""`pinwarden caa make --from-sightings`, over what a real run of `watch` left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.watching import Home
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.ct.leaf import EntryType, Extra, encode_leaf
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificate
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from support.caa_own_map import DOMAIN, tables_knowing


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two logs with certificates of a CA that is mapped and one that is not, and noise."""
    home = Home(tmp_path_factory.mktemp("seen"))
    first, second = LabLog("first"), LabLog("second", kinds=(LogKind.STATIC,))
    known, unknown = CA("Known CA"), CA("Unknown CA")
    owners, keys = tables_knowing(known)
    kept = home.folder / "state" / "pinwarden" / "caa-issuers.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"owners": owners, "keys": keys}))
    with LabServer([first, second]):
        fill(first, 5)
        issued = known.issue(["www.shop.example", "shop.example"], logs=[first])
        second.add_certificate(issued.certificate_chain)
        first.add_precertificate(known.issue(["*.pay.shop.example"]).precertificate_chain)
        second.add_precertificate(unknown.issue(["exact.example"]).precertificate_chain)
        odd = hostile_certificate(known, "odd.shop.example", "control")
        first.add_certificate(odd.issued.certificate_chain)
        noise = encode_leaf(first.now_ms(), EntryType.X509, b"\x1b[31mnoise", None, b"")
        first.add_leaf(noise, Extra(None))
        home.configure(watch=[".shop.example", "exact.example"], start="beginning")
        home.list_logs(first, second)
        home.configured_once().checked(1)
    return home


@pytest.fixture(autouse=True)
def _no_other_map() -> Iterator[None]:
    current_issuers.cache_clear()
    yield
    current_issuers.cache_clear()


def made(home: Home, *arguments: str, code: int = 0) -> dict[str, Any]:
    here = ("--from-sightings", "-c", str(home.config), "--json")
    document = json.loads(home.run_here("caa", "make", *arguments, *here).checked(code).out)
    assert isinstance(document, dict)
    return document


def test_a_policy_for_what_is_watched(home: Home) -> None:
    """Precertificates count too, and one log more says nothing new."""
    document = made(home, code=1)
    sets = {each["name"]: each["records"] for each in document["sets"]}
    assert sets == {"shop.example": [f'0 issue "{DOMAIN}"', f'0 issuewild "{DOMAIN}"']}
    proposals = {each["name"]: each for each in document["proposals"]}
    assert proposals.keys() == {"shop.example", "exact.example"}
    (unmapped,) = proposals["exact.example"]["unmapped"]
    assert "Unknown CA" in unmapped["issuer"]
    assert unmapped["names"] == ["exact.example"]
    assert any("exact.example" in note and "Unknown CA" in note for note in document["notes"])


def test_a_policy_for_a_name_below(home: Home) -> None:
    """Only what was issued at or below it; its wildcard is no plain name."""
    document = made(home, "pay.shop.example")
    assert document["sets"][0]["records"] == ['0 issue ";"', f'0 issuewild "{DOMAIN}"']


def test_for_people(home: Home) -> None:
    """Records on stdout, notes on stderr, nothing of the odd name in either."""
    arguments = ("caa", "make", "--from-sightings", "-c", str(home.config), "--smime", "none")
    ran = home.run_here(*arguments).checked(1)
    assert f'shop.example. 3600 IN CAA 0 issue "{DOMAIN}"\n' in ran.out
    assert 'shop.example. 3600 IN CAA 0 issuemail ";"\n' in ran.out
    assert "Unknown CA" in ran.err


def test_a_store_that_is_not_there(home: Home, tmp_path: Path) -> None:
    """One line, and no store is made."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    ran = home.run_here("caa", "make", "--from-sightings", "--store", url)
    assert ran.code != 0
    assert ran.err.startswith("pinwarden: error: ")
    assert not (tmp_path / "none.db").exists()
