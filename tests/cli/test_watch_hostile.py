"""Certificates and entries made so as not to be seen: each of them alerts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.watching import BOTH, WATCHED, Home, issue, new_log
from pinwarden.ct.leaf import EntryType, Extra, encode_leaf
from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificate, slugs
from pinwarden.lab.odd_leaves import odd_leaves
from pinwarden.lab.serve import LabServer

both = pytest.mark.parametrize("kind", BOTH, ids=str)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def served() -> Iterator[LabServer]:
    with LabServer() as server:
        yield server


@both
@pytest.mark.parametrize("form", ["x509", "precert"])
def test_every_hostile_certificate_alerts(
    home: Home, served: LabServer, ca: CA, kind: LogKind, form: str
) -> None:
    """However the name is hidden, the entry is matched or reported as unreadable."""
    log = new_log(served, "log", kind, entries=5)
    cases = {}
    for slug in slugs():
        case = hostile_certificate(ca, f"n{len(cases)}.shop.example", slug)
        if form == "x509":
            cases[log.add_certificate(case.issued.certificate_chain)] = case
        else:
            extra = log.beside(case.issued.precertificate, case.issued.precertificate_chain[1:])
            leaf = encode_leaf(
                log.now_ms(),
                EntryType.PRECERT,
                case.issued.tbs,
                case.issued.issuer_key_hash,
                log.extensions(log.size),
            )
            cases[log.add_leaf(leaf, extra)] = case
    ran = home.once(log, start="beginning").checked(1)
    assert ran.of(log)["verified_size"] == 5 + len(slugs())
    alerted = {
        place["index"]: each["sighting"]
        for each in ran.alerts
        for place in each["sighting"]["logs"]
    }
    lost = [case.slug for index, case in cases.items() if index not in alerted]
    assert lost == []
    assert set(alerted) == set(cases), "and nothing else alerts"
    misread = [
        case.slug
        for index, case in cases.items()
        if case.legible and alerted[index]["matched"] != [WATCHED]
    ]
    assert misread == []
    assert len(home.sightings()) == len(cases)


@both
def test_every_odd_entry_alerts(home: Home, served: LabServer, ca: CA, kind: LogKind) -> None:
    """Noise, other types and versions, bytes too many or too few: reported, hashed, passed by."""
    log = new_log(served, "log", kind, entries=5)
    odd = {}
    for number in range(len(list(odd_leaves(ca, "x.invalid", timestamp_ms=0)))):
        cases = odd_leaves(
            ca,
            f"odd{number}.shop.example",
            timestamp_ms=log.now_ms(),
            extensions=log.extensions(log.size),
        )
        each = list(cases)[number]
        if kind is LogKind.RFC6962 or each.tileable:
            odd[log.add_leaf(each.leaf, each.extra)] = each.slug, each.readable
    for type_ in EntryType:
        key_hash = ca.issuer_key_hash if type_ is EntryType.PRECERT else None
        for signed in (b"", b"\x30\x00", b"\x30\x80", bytes(2000), b"\xff" * 70_000):
            leaf = encode_leaf(log.now_ms(), type_, signed, key_hash, log.extensions(log.size))
            extra = Extra(b"" if type_ is EntryType.PRECERT else None)
            odd[log.add_leaf(leaf, extra)] = f"{type_!r} {signed[:4]!r}", False
    issue(log, ca, "after.shop.example")
    ran = home.once(log, start="beginning").checked(1)
    assert ran.of(log)["verified_size"] == log.size
    alerted = {
        place["index"]: each["sighting"]
        for each in ran.alerts
        for place in each["sighting"]["logs"]
    }
    assert [slug for index, (slug, _) in odd.items() if index not in alerted] == []
    assert set(alerted) == {*odd, log.size - 1}
    for index, (slug, readable) in odd.items():
        seen = alerted[index]
        if readable or seen["kind"] == "certificate":
            assert seen["matched"] == [WATCHED], slug
        else:
            assert seen["problems"], slug
