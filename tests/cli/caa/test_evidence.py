"""Certificates from files, as evidence."""

from __future__ import annotations

from base64 import encodebytes
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinwarden.caa.issuers.map import How, load_issuers, parse_issuers
from pinwarden.cli.caa.certificate_files import read_certificates
from pinwarden.cli.caa.evidence import evidence_of_files, names_of_items
from pinwarden.errors import ConfigError
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificate
from pinwarden.lab.profile import pem
from support.caa_own_map import DOMAIN, tables_knowing
from support.leaves import real_certificates


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Lab CA")


def test_the_issuing_certificate_in_the_file_tells_the_key(ca: CA, tmp_path: Path) -> None:
    """With its chain a certificate is known by its issuer's key, without it by name only."""
    owners, keys = tables_knowing(ca)
    issuers = parse_issuers(owners, lambda: keys)
    chain = ca.issue(["example.com"]).certificate_chain
    (tmp_path / "chain").write_bytes(b"a comment\n" + pem(chain))
    (tmp_path / "leaf").write_bytes(chain[0])
    with_chain, alone = evidence_of_files([tmp_path / "chain", tmp_path / "leaf"], issuers)
    assert with_chain.match is not None
    assert alone.match is not None
    assert alone.match.how is How.BY_NAME
    assert with_chain.match.how is not How.BY_NAME
    assert DOMAIN in with_chain.match.domains & alone.match.domains
    assert with_chain.names == alone.names == ("example.com",)


def test_names_that_no_policy_can_stand_for_are_left_out(ca: CA, tmp_path: Path) -> None:
    """A control character in a name makes no record, and no error either."""
    odd = hostile_certificate(ca, "odd.example.com", "control").issued.certificate_chain[0]
    (tmp_path / "odd").write_bytes(odd)
    (evidence,) = evidence_of_files([tmp_path / "odd"], load_issuers())
    assert all(name.isprintable() and name.isascii() for name in evidence.names)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMII=A\n-----END CERTIFICATE-----\n", "is not a cert"),
        (b"-----BEGIN CERTIFICATE-----\nMIIA\n", "no PEM block in it is a whole certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIA\n-----END PRIVATE KEY-----\n", "no PEM block"),
        (b"0\x03abc", "odd"),
    ],
)
def test_a_file_of_something_else_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    """One line names the file and what it is not."""
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        evidence_of_files([tmp_path / "odd"], load_issuers())


def test_other_headers_of_pem(ca: CA, tmp_path: Path) -> None:
    """OpenSSL's trusted form has more octets after the certificate, an old one another label."""
    der = ca.issue(["example.com"]).certificate
    blocks = b""
    for label, more in ((b"TRUSTED ", b"\x30\x00"), (b"X509 ", b""), (b"", b"")):
        name = label + b"CERTIFICATE-----"
        blocks += b"-----BEGIN " + name + b"\r\n" + encodebytes(der + more) + b"-----END " + name
        blocks += b"\r\n"
    (tmp_path / "all").write_bytes(blocks)
    assert [view.der for view in read_certificates(tmp_path / "all")] == [der] * 3


def test_a_file_of_authorities_is_no_evidence(ca: CA, tmp_path: Path) -> None:
    """A CA's certificate says nothing about who may issue for a name."""
    (tmp_path / "cas").write_bytes(pem(ca.chain))
    with pytest.raises(ConfigError, match="of CAs only"):
        evidence_of_files([tmp_path / "cas"], load_issuers())


@given(
    st.binary(max_size=200)
    | st.binary(max_size=60).map(
        lambda body: b"-----BEGIN CERTIFICATE-----\n" + body + b"\n-----END CERTIFICATE-----"
    )
    | st.binary(max_size=100).map(lambda body: b"\x30" + body)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_evidence_or_our_error(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds, nothing else leaves."""
    (tmp_path / "any").write_bytes(content)
    said = "evidence"
    try:
        evidence_of_files([tmp_path / "any"], load_issuers())
    except ConfigError as error:
        said = str(error)
    assert said.isprintable()


def test_every_real_certificate_can_be_read(corpus: Path, tmp_path: Path) -> None:
    """Real certificates in one PEM file each give their names."""
    ders = list(real_certificates(corpus))[:200]
    (tmp_path / "all.der").write_bytes(ders[0])
    assert [view.der for view in read_certificates(tmp_path / "all.der")] == [ders[0]]
    begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
    text = "".join(f"{begin}{encodebytes(der).decode('ascii')}{end}" for der in ders)
    (tmp_path / "all.pem").write_text(text)
    assert [view.der for view in read_certificates(tmp_path / "all.pem")] == ders
    assert len(evidence_of_files([tmp_path / "all.pem"], load_issuers())) > 190


def test_items_of_a_watch_list_become_names() -> None:
    """A leading dot goes, addresses are no names, and what is below another one is covered."""
    items = (".example.com", "www.example.com", "192.0.2.0/24", "example.net", "example.com")
    assert names_of_items(items) == ("example.com", "example.net")
