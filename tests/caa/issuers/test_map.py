"""The issuer map: CAs by domain and by name, and certificates by their issuer's key."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.issuers.map import (
    KEYS_FILE,
    OWNERS_FILE,
    STALE_AFTER_DAYS,
    How,
    IssuerMap,
    KeyFact,
    Owner,
    Source,
    key_prefix,
    load_issuers,
    parse_issuers,
)
from pinwarden.caa.issuers.tables import render_tables
from pinwarden.ct.entry import parse_data_tile
from pinwarden.errors import MalformedError
from pinwarden.lab.ca import CA
from pinwarden.x509.certificate import CertificateView, view_certificate
from pinwarden.x509.key_ids import authority_key_id, subject_key_id

ONE = Owner(
    "One", ("one.example", "uno.example"), ("First CA",), ("two.example",), ("old.example",)
)
TWO = Owner("Two", ("two.example",))
MUTE = Owner("Mute")
SOURCES = (Source("domains", "a report", date(2026, 1, 2)), Source("keys", "b", date(2026, 3, 4)))


def table(*facts: KeyFact, owners: tuple[Owner, ...] = (ONE, TWO, MUTE)) -> IssuerMap:
    tables = render_tables(owners, SOURCES, facts)
    return parse_issuers(tables.owners, lambda: tables.keys)


def fact(kind: str, value: bytes, *owners: str, domains: tuple[str, ...] = ()) -> KeyFact:
    return KeyFact(kind, key_prefix(kind, value), owners, domains)


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Some CA")


@pytest.fixture(scope="module")
def leaf(ca: CA) -> CertificateView:
    return view_certificate(ca.issue(["www.example.org"]).certificate)


@pytest.fixture(scope="module")
def issuer(ca: CA) -> CertificateView:
    return view_certificate(ca.chain[0])


def test_a_domain_has_one_owner_and_the_owner_may_honour_others() -> None:
    """Case, blanks and a final dot do not count; the one whose own it is comes before others."""
    issuers = table()
    assert issuers.owner_of(" ONE.example. ") == ONE
    assert issuers.owner_of("two.example") == TWO
    assert issuers.owner_of("old.example") == ONE
    assert issuers.owner_of("none.example") is None
    assert issuers.same_ca("uno.example") == {"one.example", "uno.example", "two.example"}
    assert issuers.same_ca("two.example") == {"two.example"}
    assert issuers.same_ca("none.example") == frozenset()
    assert list(issuers.domains) == ["old.example", "one.example", "two.example", "uno.example"]


def test_an_owner_is_found_by_any_of_its_names() -> None:
    """Spelling as the user has it."""
    issuers = table()
    assert issuers.owner_named("first-ca") == ONE
    assert issuers.owner_named("TWO") == TWO
    assert issuers.owner_named("three") is None


def test_the_map_says_how_old_it_is() -> None:
    """By the newest source of domains, since that is what is asked for."""
    issuers = table()
    day = datetime(2026, 1, 2, 23, tzinfo=UTC)
    assert issuers.dated == day.date()
    assert issuers.age_days(day + timedelta(days=3)) == 3
    assert not issuers.is_stale(day + timedelta(days=STALE_AFTER_DAYS))
    assert issuers.is_stale(day + timedelta(days=STALE_AFTER_DAYS + 1))
    undated = IssuerMap((), (), lambda: b"")
    assert undated.dated is None
    assert undated.is_stale(day)


@pytest.mark.parametrize("kind", ["key", "spki", "certificate", "name"])
def test_a_certificate_is_told_by_whatever_is_known_of_its_issuer(
    kind: str, leaf: CertificateView, issuer: CertificateView
) -> None:
    """Its key identifier, its key, its certificate, and last its name."""
    key = subject_key_id(issuer)
    assert key is not None
    assert issuer.fingerprint is not None
    values = {"key": key, "spki": issuer.spki_hash, "certificate": issuer.fingerprint}
    values["name"] = issuer.subject
    issuers = table(fact(kind, values[kind], "One"))
    match = issuers.issuer_of(
        leaf, issuer_spki_sha256=issuer.spki_hash, issuer_sha256=issuer.fingerprint
    )
    assert match is not None
    assert match.owners == (ONE,)
    assert match.how is (How.BY_NAME if kind == "name" else How.BY_OWNER)
    assert match.domains == ONE.all_domains
    assert match.complete
    assert ("only its name" in match.note) is (kind == "name")


def test_an_unknown_issuer_is_not_mapped(leaf: CertificateView) -> None:
    """Never a guess."""
    issuers = table(fact("key", b"another", "One"))
    assert issuers.issuer_of(leaf) is None
    assert issuers.issuer_of() is None


def test_domains_listed_for_the_key_count_before_those_of_the_owner() -> None:
    """A CA that lists one domain for one of its keys takes no other for that key."""
    key, spki = b"k" * 20, sha256(b"spki").digest()
    issuers = table(
        fact("key", key, "One", domains=("uno.example",)),
        fact("spki", spki, "One"),
        fact("spki", sha256(b"other").digest(), "Two"),
    )
    match = issuers.issuer_of(authority_key=key, issuer_spki_sha256=spki)
    assert match is not None
    assert (match.how, match.domains) == (How.BY_KEY, {"uno.example"})
    # The key outranks the identifier, which is no more than a name for one.
    other = issuers.issuer_of(authority_key=key, issuer_spki_sha256=sha256(b"other").digest())
    assert other is not None
    assert other.owners == (TWO,)


def test_a_shared_key_has_every_owner() -> None:
    """Cross-signed: whoever may run it, and it is said."""
    key = b"k" * 20
    match = table(fact("key", key, "Two"), fact("key", key, "One")).issuer_of(authority_key=key)
    assert match is not None
    assert match.owners == (ONE, TWO)
    assert match.domains == ONE.all_domains | TWO.all_domains
    assert "One and Two share it" in match.note
    both = table(
        fact("key", key, "Two", domains=("two.example",)),
        fact("key", key, "Two", domains=("b.example",)),
    ).issuer_of(authority_key=key)
    assert both is not None
    assert (both.how, both.domains) == (How.BY_KEY, {"two.example", "b.example"})


def test_an_owner_without_domains_makes_a_match_incomplete() -> None:
    """No record can then be said to forbid the issuer."""
    match = table(fact("key", b"k", "Mute", "One")).issuer_of(authority_key=b"k")
    assert match is not None
    assert match.domains == ONE.all_domains
    assert not match.complete


def test_tables_come_back_as_they_were_written() -> None:
    """Facts out of a map make the same map again."""
    facts = [
        fact("key", b"a", "One", domains=("one.example",)),
        fact("key", b"b", "One", "Two"),
        fact("name", b"c", "Mute"),
    ]
    issuers = table(*facts)
    assert issuers.owners == (MUTE, ONE, TWO)
    assert issuers.sources == SOURCES
    again = render_tables(issuers.owners, issuers.sources, issuers.key_facts())
    assert again == render_tables((TWO, ONE, MUTE), SOURCES, reversed(facts))
    assert sorted(issuers.key_facts(), key=repr) == sorted(facts, key=repr)


BROKEN = [
    b"",
    b"[]",
    b"{",
    b'{"format":2}',
    b'{"format":1}',
    b'{"format":1,"sources":[{"part":"x","name":"y","date":"z"}],"owners":[]}',
    b'{"format":1,"sources":[],"owners":[1]}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_table_is_one_error(text: bytes) -> None:
    """Whatever is wrong in it."""
    with pytest.raises(MalformedError, match=OWNERS_FILE):
        parse_issuers(text, lambda: b"")


@pytest.mark.parametrize(
    "group", [1, {}, {"owners": [7]}, {"owners": ["0"]}, {"owners": [0], "key": "!"}]
)
def test_a_broken_table_of_keys_is_one_error(group: object) -> None:
    """It is read late, and refused then."""
    owners = render_tables((ONE,), SOURCES, ()).owners
    keys = json.dumps({"format": 1, "groups": [group]})
    issuers = parse_issuers(owners, lambda: keys)
    assert issuers.same_ca("one.example")
    with pytest.raises(MalformedError, match=KEYS_FILE):
        issuers.issuer_of(authority_key=b"k")


@given(st.binary(max_size=80))
def test_any_octets_are_a_key_that_is_not_mapped(value: bytes) -> None:
    """Lookups never raise."""
    assert load_issuers().issuer_of(authority_key=value, issuer_sha256=value) is None


def test_the_map_that_ships_is_small_and_sound() -> None:
    """Each domain is a lower-case name, no owner is there twice, and the files are small."""
    issuers = load_issuers()
    assert len(issuers.domains) > 150
    assert len({owner.name for owner in issuers.owners}) == len(issuers.owners)
    for domain in issuers.domains:
        assert domain == domain.lower().strip(".")
        assert domain.count(".") >= 1
    own = [domain for owner in issuers.owners for domain in owner.domains]
    assert len(set(own)) == len(own)
    folder = files("pinwarden").joinpath("data")
    assert len(folder.joinpath(OWNERS_FILE).read_bytes()) < 30_000
    assert len(folder.joinpath(KEYS_FILE).read_bytes()) < 500_000
    assert b"CDLA-Permissive-2.0" in folder.joinpath(OWNERS_FILE).read_bytes()


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("letsencrypt.org", "Let's Encrypt"),
        ("digicert.com", "DigiCert"),
        ("www.digicert.com", "DigiCert"),
        ("quovadisglobal.com", "DigiCert"),
        ("sectigo.com", "Sectigo"),
        ("comodoca.com", "Sectigo"),
        ("entrust.net", "Entrust"),
        ("amazon.com", "Amazon Trust Services"),
        ("amazonaws.com", "Amazon Trust Services"),
        ("awstrust.com", "Amazon Trust Services"),
        ("amazontrust.com", "Amazon Trust Services"),
        ("pki.goog", "Google Trust Services"),
        ("globalsign.com", "GlobalSign"),
        ("godaddy.com", "GoDaddy"),
        ("starfieldtech.com", "GoDaddy"),
        ("ssl.com", "SSL.com"),
        ("trustwave.com", "Viking Cloud (Trustwave)"),
    ],
)
def test_the_known_domains_have_their_owners(domain: str, owner: str) -> None:
    """Those that most of the Web uses."""
    found = load_issuers().owner_of(domain)
    assert found is not None
    assert found.name == owner


def test_names_of_others_that_a_ca_honours_are_not_taken_from_their_owner() -> None:
    """Sectigo issues for Entrust; old cross-signs do not make Amazon's names DigiCert's."""
    issuers = load_issuers()
    assert {"entrust.net", "affirmtrust.com"} <= issuers.same_ca("sectigo.com")
    assert "sectigo.com" not in issuers.same_ca("entrust.net")
    assert "amazon.com" not in issuers.same_ca("digicert.com")
    assert "google.com" not in issuers.same_ca("pki.goog")


def test_answering_for_domains_does_not_read_the_keys() -> None:
    """`caa check` pays for a small file and for nothing else."""
    code = (
        "import sys; from pinwarden.caa.issuers.map import load_issuers; m = load_issuers();"
        "m.nearest('x.example'); print('_keys' in m.__dict__, 'cryptography' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


def _leaves(corpus: Path) -> Iterator[bytes]:
    with gzip.open(corpus / "certs-bulk/real_leaves.jsonl.gz") as lines:
        records = [json.loads(line) for line in lines]
    yield from (b64decode(each["der"]) for each in records if each["klass"] == "public-trusted")
    with gzip.open(corpus / "real-chains/limbo_online_2023-2026.jsonl.gz") as lines:
        yield from (b64decode(json.loads(line)["leaf"]) for line in lines)


# What stands in the issuer's name, and who it must be, alone or among others.
EXPECTED = {
    "O=Let's Encrypt,": "Let's Encrypt",
    "O=DigiCert Inc,": "DigiCert",
    "O=COMODO CA Limited,": "Sectigo",
    "O=Sectigo Limited,": "Sectigo",
    "O=Amazon,": "Amazon Trust Services",
    "O=Google Trust Services": "Google Trust Services",
    "O=GlobalSign nv-sa,": "GlobalSign",
    "O=VeriSign\\, Inc.,": "DigiCert",
    "O=GeoTrust": "DigiCert",
    "O=Apple Inc.,": "Apple",
    "O=Certainly,": "Certainly",
    "O=Starfield Technologies\\, Inc.,": "GoDaddy",
    "O=Microsoft Corporation,": "Microsoft",
}


def test_nearly_every_publicly_trusted_leaf_is_mapped(corpus: Path) -> None:
    """Of all ages since 2009, and those of known CAs to the right owner."""
    issuers = load_issuers()
    count: Counter[str] = Counter()
    for der in _leaves(corpus):
        view = view_certificate(der)
        match = issuers.issuer_of(view)
        count["all"] += 1
        if match is None:
            continue
        count["mapped"] += 1
        count["by key"] += match.how is not How.BY_NAME
        count["complete"] += match.complete
        count["one owner"] += len(match.owners) == 1
        names = {owner.name for owner in match.owners}
        for text, owner in EXPECTED.items():
            if text in f"{view.issuer_text},":
                count["known"] += 1
                assert owner in names, view.issuer_text
    assert count["all"] > 500
    assert count["mapped"] / count["all"] > 0.99
    assert count["complete"] / count["all"] > 0.99
    assert count["by key"] / count["all"] > 0.95
    assert count["one owner"] / count["all"] > 0.95
    assert count["known"] / count["all"] > 0.6


def test_staging_precertificates_are_told_by_key_and_key_hash(corpus: Path) -> None:
    """Real precertificates know their issuer by AKI and by the hash in the log entry."""
    issuers = load_issuers()
    data = (corpus / "ct-logs/sunlight-navigli2025h2/tile/data/000").read_bytes()
    batch = parse_data_tile(data, 0, 256)
    for index in range(0, 256, 16):
        entry = batch.entry(index)
        assert entry.precertificate is not None
        for match in (
            issuers.issuer_of(view_certificate(entry.precertificate)),
            issuers.issuer_of(issuer_spki_sha256=entry.issuer_key_hash),
        ):
            assert match is not None
            assert match.domains == {"letsencrypt.org"}
            assert "staging" in match.note


def test_a_chain_tells_the_same_issuer_as_the_leaf_alone(corpus: Path) -> None:
    """Through the key of the issuer's certificate as through the identifier in the leaf."""
    issuers = load_issuers()
    compared = 0
    with gzip.open(corpus / "real-chains/limbo_online_2023-2026.jsonl.gz") as lines:
        for line in lines:
            record = json.loads(line)
            leaf = view_certificate(b64decode(record["leaf"]))
            chain = [view_certificate(b64decode(each)) for each in record["chain"]]
            for above in chain:
                if above.subject == leaf.issuer and authority_key_id(leaf) == subject_key_id(above):
                    compared += 1
                    match = issuers.issuer_of(issuer_spki_sha256=above.spki_hash)
                    assert match == issuers.issuer_of(leaf)
                    assert match == issuers.issuer_of(issuer_sha256=above.fingerprint)
    assert compared > 100


def test_keys_are_octets_in_base64() -> None:
    """The form that `scripts/make_caa_issuers.py` writes, one group a line."""
    tables = render_tables((ONE,), SOURCES, [fact("key", b"a", "One")])
    prefix = b64encode(key_prefix("key", b"a")).decode()
    assert f'{{"owners":[0],"key":"{prefix}"}}' in tables.keys.splitlines()
