"""Ninety days of a shop that changes its CA, and a policy that would have locked it out.

The certificates are issued in the lab, logged, and seen by a real run of `watch`; the policy is
then tried on what the store has of them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.watching import Home
from pinwarden.caa.issuers.map import FORMAT, key_prefix
from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.x509.certificate import view_certificate

NOW = datetime.now(UTC).replace(microsecond=0)
OLD, NEW = "old-ca.example", "new-ca.example"

# The shop renews every thirty days, and goes from the old CA to the new one on day 45. The
# machine that takes payments was forgotten: it still renews with the old one.
ISSUED: tuple[tuple[str, tuple[str, ...], int], ...] = (
    (OLD, ("shop.example", "www.shop.example"), 88),
    (OLD, ("pay.shop.example",), 70),
    (OLD, ("shop.example", "www.shop.example"), 58),
    (NEW, ("shop.example", "www.shop.example"), 45),
    (OLD, ("pay.shop.example",), 40),
    (NEW, ("shop.example", "www.shop.example"), 15),
    (OLD, ("pay.shop.example",), 10),
)


def day(ago: int) -> str:
    return (NOW - timedelta(days=ago)).date().isoformat()


def tables(cas: dict[str, CA]) -> dict[str, str]:
    """An issuer map that knows both CAs by their names."""
    owners = [{"name": domain.partition(".")[0], "domains": [domain]} for domain in cas]
    groups = [
        {
            "owners": [number],
            "name": b64encode(key_prefix("name", view_certificate(ca.chain[0]).subject)).decode(),
        }
        for number, ca in enumerate(cas.values())
    ]
    source = {"part": "domains", "name": "tests", "date": "2030-01-01"}
    return {
        "owners": json.dumps({"format": FORMAT, "owners": owners, "sources": [source]}),
        "keys": json.dumps({"format": FORMAT, "groups": groups}),
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two logs of both kinds with the ninety days among certificates of others, all seen."""
    home = Home(tmp_path_factory.mktemp("story"))
    cas = {OLD: CA("Old CA"), NEW: CA("New CA")}
    kept = home.folder / "state" / "pinwarden" / "caa-issuers.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(tables(cas)))
    logs = [LabLog("first"), LabLog("second", kinds=(LogKind.STATIC,))]
    with LabServer(logs):
        fill(logs[0], 5)
        for domain, names, ago in ISSUED:
            start = NOW - timedelta(days=ago)
            issued = cas[domain].issue(names, logs=logs, not_before=start, days=31)
            # Precertificate and certificate, in two logs: still one issuance.
            logs[1].add_certificate(issued.certificate_chain)
        home.configure(watch=[".shop.example"], start="beginning")
        home.list_logs(*logs)
        home.configured_once().checked(1)
    return home


@pytest.fixture(autouse=True)
def _no_other_map() -> Iterator[None]:
    current_issuers.cache_clear()
    yield
    current_issuers.cache_clear()


def tried(home: Home, *policy: str, code: int) -> dict[str, Any]:
    arguments = ("--source", "store", "-c", str(home.config), "--days", "90", "--json")
    ran = home.run_here("caa", "backtest", "shop.example", *policy, *arguments).checked(code)
    document = json.loads(ran.out)
    assert isinstance(document, dict)
    return document


def test_the_lockout_is_caught_before_it_happens(home: Home) -> None:
    """Only the new CA may issue: the forgotten machine would have been refused on its days."""
    document = tried(home, "--ca", NEW, "--wildcard", "none", code=1)
    assert document["certificates"] == len(ISSUED)
    refused = [each for each in document["issuances"] if each["verdict"] == "refused"]
    assert [(each["not_before"][:10], each["names"][0]["name"]) for each in refused] == [
        (day(88), "shop.example"),
        (day(70), "pay.shop.example"),
        (day(58), "shop.example"),
        (day(40), "pay.shop.example"),
        (day(10), "pay.shop.example"),
    ]
    (old, new) = document["by_ca"]
    assert (old["ca"], old["refused"]) == ("old-ca", 5)
    assert (old["first_refused"][:10], old["last_refused"][:10]) == (day(88), day(10))
    assert (new["ca"], new["refused"], new["allowed"]) == ("new-ca", 0, 2)


def test_what_fails_next_is_named(home: Home) -> None:
    """What the shop has left behind is past; the machine for payments is due in three weeks."""
    policy = ("--ca", NEW, "--wildcard", "none")
    document = tried(home, *policy, code=1)
    assert document["failing_renewals"] == 1
    # Its thirty-one days end a second early, and on that day the lock-out begins.
    due = (NOW - timedelta(days=10) + timedelta(days=31, seconds=-1)).date().isoformat()
    assert document["first_renewal_due"][:10] == due
    arguments = ("--source", "store", "-c", str(home.config), "--days", "90")
    ran = home.run_here("caa", "backtest", "shop.example", *policy, *arguments).checked(1)
    told = ran.out.splitlines()
    assert told[0] == (
        "the policy that is meant would have refused 5 of 7 certificates of the last 90 days for "
        f"shop.example: 5 of old-ca ({day(88)} to {day(10)})"
    )
    assert f"its renewal would fail, due by {due}" in told[1]


def test_the_policy_is_mended(home: Home, tmp_path: Path) -> None:
    """With a set of its own for the forgotten machine nothing that is renewed now is refused."""
    zone = tmp_path / "shop.zone"
    zone.write_text(
        f"""$ORIGIN shop.example.
@    3600 IN SOA ns host 1 3600 600 86400 300
@    3600 IN CAA 0 issue "{NEW}"
@    3600 IN CAA 0 issuewild ";"
pay  3600 IN CAA 0 issue "{OLD}"
"""
    )
    document = tried(home, "--zone", str(zone), code=1)
    assert document["failing_renewals"] == 0
    assert document["first_renewal_due"] is None
    assert [
        each["not_before"][:10] for each in document["issuances"] if each["verdict"] == "refused"
    ] == [
        day(88),
        day(58),
    ]


def test_the_least_policy_has_no_cost(home: Home) -> None:
    """Both CAs, and no wildcard, is what the ninety days needed."""
    document = tried(home, "--ca", OLD, "--ca", NEW, "--wildcard", "none", code=0)
    assert (document["verdict"], document["allowed"]) == ("allowed", len(ISSUED))
