"""`pinwarden caa make --from-history`: the least policy, and what it would have cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.main import run
from pinwarden.lab.ca import CA
from support.caa_own_map import DOMAIN, tables_knowing
from support.certificate_folders import write_chain

NAME = "shop.example"


class Maker:
    """A folder of certificates, and the command over it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.certificates = folder / "certificates"
        self.known = CA("Known CA")
        self._capsys = capsys
        owners, keys = tables_knowing(self.known)
        kept = folder / "pinwarden" / "caa-issuers.json"
        kept.parent.mkdir()
        kept.write_text(json.dumps({"owners": owners, "keys": keys}))

    def issue(self, ca: CA, name: str, ago: int) -> None:
        issued = ca.issue([name], not_before=datetime.now(UTC) - timedelta(days=ago))
        write_chain(self.certificates, f"{ago}", issued.certificate_chain)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        source = f"folder={self.certificates}"
        code = run(["caa", "make", "--from-history", source, *arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def document(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        ended, out, err = self(*arguments, "--json")
        assert ended == code, err
        document = json.loads(out)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Maker]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    current_issuers.cache_clear()
    maker = Maker(tmp_path, capsys)
    maker.issue(maker.known, f"www.{NAME}", 40)
    maker.issue(maker.known, f"*.{NAME}", 200)
    yield maker
    current_issuers.cache_clear()


def test_what_is_valid_is_permitted_and_the_rest_is_the_cost(make: Maker) -> None:
    """The wildcard has ended and was not renewed: no issuewild, and it is told."""
    document = make.document(NAME)
    assert document["sets"][0]["records"] == [f'0 issue "{DOMAIN}"', '0 issuewild ";"']
    ended = (datetime.now(UTC) - timedelta(days=200)).date().isoformat()
    assert document["notes"][-1] == (
        "these records would have refused 1 of 2 certificates in the history: "
        f"1 of Lab CA ({ended})"
    )


def test_all_of_the_history(make: Maker) -> None:
    """With --since what has ended counts as well, and nothing is refused."""
    since = (datetime.now(UTC) - timedelta(days=300)).date().isoformat()
    document = make.document(NAME, "--since", since)
    assert document["sets"][0]["records"] == [f'0 issue "{DOMAIN}"', f'0 issuewild "{DOMAIN}"']
    assert document["proposals"][0]["certificates"] == 2
    assert not any("would have refused" in note for note in document["notes"])


def test_a_ca_that_is_not_mapped(make: Maker) -> None:
    """The policy leaves it out, and says so."""
    make.issue(CA("Unknown CA"), f"pay.{NAME}", 10)
    document = make.document(NAME, code=1)
    assert document["proposals"][0]["unmapped"][0]["names"] == [f"pay.{NAME}"]
    assert document["notes"][-1] == (
        "whether they would have refused 1 certificate in the history cannot be told"
    )


def test_half_a_history_makes_no_policy(make: Maker) -> None:
    """What could not be read may be the certificate that the policy would refuse."""
    (make.certificates / "broken.pem").write_bytes(b"\x30\x82 no certificate")
    code, out, err = make(NAME)
    assert (code, out) == (3, "")
    assert "broken.pem" in err


@pytest.mark.parametrize(
    "arguments",
    [(), (NAME, "--ca", DOMAIN), (NAME, "--from-history", "nowhere")],
    ids=["names", "ca", "source"],
)
def test_orders_that_make_no_sense(make: Maker, arguments: tuple[str, ...]) -> None:
    """One line says what is wrong with which option."""
    code, out, err = make(*arguments)
    assert (code, out) == (2, "")
    assert "--from-history" in err
