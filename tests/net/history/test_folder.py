"""A folder of certificates, as an ACME client leaves it, and as an enemy would."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from net.history.conftest import AT, told, told_in_part
from pinwarden.lab.ca import CA, key_pem, pem, spki_of
from pinwarden.net.history.folder import FolderSource
from support.history_services import renewals


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Some CA", at=AT)


async def test_an_archive_of_renewals(ca: CA, tmp_path: Path) -> None:
    """Leaf, chain and full chain, PEM and DER: every certificate with the keys above it."""
    made = renewals(ca, ["shop.example", "www.shop.example"], AT - timedelta(days=150), 3)
    archive = tmp_path / "archive" / "shop.example"
    archive.mkdir(parents=True)
    first, second, third = made
    (archive / "cert1.pem").write_bytes(pem([first.certificate]))
    (archive / "fullchain2.pem").write_bytes(pem(second.certificate_chain))
    (archive / "old.DER").write_bytes(third.precertificate)
    (archive / "privkey1.pem").write_bytes(key_pem(first.private_key))
    (archive / "README").write_text("no certificate")
    found = await told(FolderSource(tmp_path), "www.shop.example")
    assert {each.tbs_sha256 for each in found} == {hashlib.sha256(e.tbs).digest() for e in made}
    for each in found:
        assert each.issuer_spki_sha256 == ca.issuer_key_hash
        assert each.chain_spki_sha256 == (hashlib.sha256(spki_of(ca.root_key)).digest(),)
        assert each.source == "folder"
    by_reference = {each.reference: each for each in found}
    whole = by_reference["archive/shop.example/cert1.pem"]
    assert whole.certificate_sha256 == first.fingerprint
    # Nobody is ever served a precertificate, so it has no fingerprint.
    assert by_reference["archive/shop.example/old.DER"].certificate_sha256 is None


async def test_without_its_issuer_the_keys_above_are_not_known(ca: CA, tmp_path: Path) -> None:
    """A CA of the same name and another key is not taken for it."""
    issued = ca.issue(["shop.example"])
    (tmp_path / "cert.pem").write_bytes(pem([issued.certificate]))
    (tmp_path / "chain.pem").write_bytes(pem([CA("Some CA", at=AT).intermediate]))
    [found] = await told(FolderSource(tmp_path), "shop.example")
    assert (found.issuer_spki_sha256, found.chain_spki_sha256) == (None, ())


async def test_the_time_asked_for(ca: CA, tmp_path: Path) -> None:
    """What ended before is left out, and what has ended by now unless it is wanted."""
    for number, issued in enumerate(renewals(ca, ["shop.example"], AT - timedelta(days=300), 5)):
        (tmp_path / f"{number}.pem").write_bytes(pem([issued.certificate]))
    source = FolderSource(tmp_path)
    assert len(await told(source, "shop.example")) == 5
    assert len(await told(source, "shop.example", expired=False)) == 1
    assert len(await told(source, "shop.example", since=AT - timedelta(days=100))) == 3
    assert await told(source, "example") == []
    assert len(await told(source, "example", below=True)) == 5


async def test_damage_is_told_and_hides_nothing(ca: CA, tmp_path: Path) -> None:
    """The others are read, and a certificate whose names cannot be read concerns everybody."""
    good = ca.issue(["shop.example"]).certificate
    (tmp_path / "good.pem").write_bytes(pem([good]))
    (tmp_path / "cut.der").write_bytes(good[:40])
    (tmp_path / "half.pem").write_bytes(pem([good])[:200])
    found, error = await told_in_part(FolderSource(tmp_path), "shop.example")
    assert len(found) == 1
    assert "file 'cut.der'" in str(error)
    assert ", and 1 more" in str(error)


async def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """And not a folder of nothing."""
    found, error = await told_in_part(FolderSource(tmp_path / "gone"), "shop.example")
    assert found == []
    assert "No such file or directory" in str(error)


async def test_a_folder_without_certificates_is_an_error(tmp_path: Path) -> None:
    """It is the wrong one, most likely, and must not pass for a history of nothing."""
    (tmp_path / "README").write_text("no certificate")
    found, error = await told_in_part(FolderSource(tmp_path), "shop.example")
    assert (found, "has no certificate in a file ending in" in str(error)) == ([], True)
