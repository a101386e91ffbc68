"""`pinwarden pin backup`: sealed keys and their pins."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cli.pin.bundle_files import PHRASE, Desk
from pinwarden.cli.pin.backup import KINDS
from pinwarden.pinning import Pin

SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


def sealed(desk: Desk) -> tuple[str, str]:
    return "--passphrase-file", "phrase"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rsa-4096"])
def test_the_pin_is_of_the_key_in_the_file(desk: Desk, kind: str) -> None:
    words = ("backup", "a.key", "--type", kind, *sealed(desk), "--csr", "API.example.com")
    made = desk.json(*words)
    path = desk.path("a.key")
    key = serialization.load_pem_private_key(path.read_bytes(), PHRASE.encode())
    assert made["pin"] == str(Pin.of_spki(key.public_key().public_bytes(*SPKI)))
    assert made["pin"] == f"sha256//{made['spki_sha256']}"
    assert (made["file"], made["type"], made["csr"]) == ("a.key", kind, "a.key.csr")
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    request = x509.load_pem_x509_csr(Path(made["csr"]).read_bytes())
    assert request.is_signature_valid
    assert request.public_key().public_bytes(*SPKI) == key.public_key().public_bytes(*SPKI)
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["api.example.com"]


def test_the_key_is_sealed(desk: Desk) -> None:
    desk.run("backup", "a.key", *sealed(desk))
    data = desk.path("a.key").read_bytes()
    for wrong in (b"wrong", PHRASE.encode() + b"x"):
        with pytest.raises(ValueError, match=r"."):
            serialization.load_pem_private_key(data, wrong)
    with pytest.raises(TypeError):
        serialization.load_pem_private_key(data, None)
    # 600,000 rounds in DER.
    assert bytes.fromhex("02030927c0") in b"".join(_der(data))
    assert PHRASE not in desk.out + desk.err


def _der(pem: bytes) -> list[bytes]:
    import base64

    return [base64.b64decode(b"".join(pem.split(b"-----")[2].split()))]


def test_a_passphrase_made_by_chance_goes_to_a_file_of_its_own(desk: Desk) -> None:
    phrase = desk.path("new.txt")
    pins = desk.run("backup", "a.key", "b.key", "--new-passphrase", "new.txt").split()
    assert len(set(pins)) == 2
    assert oct(phrase.stat().st_mode & 0o777) == "0o600"
    made = phrase.read_text().strip()
    assert len(made.replace("-", "")) == 30
    assert made not in desk.out + desk.err
    for name in ("a.key", "b.key"):
        serialization.load_pem_private_key(desk.path(name).read_bytes(), made.encode())


def test_where_nobody_sees_it_no_passphrase_is_shown(desk: Desk) -> None:
    """What runs without a person is recorded."""
    assert "nobody is there" in desk.refusal("backup", "a.key")
    assert not desk.path("a.key").exists()


def test_nothing_is_ever_overwritten(desk: Desk) -> None:
    for there in ("a.key", "b.key", "b.key.csr"):
        desk.path(there).write_text("precious")
        words = ("backup", "c.key", there.removesuffix(".csr"), *sealed(desk), "--csr", "a.example")
        assert "is there already" in desk.refusal(*words)
        assert desk.path(there).read_text() == "precious"
        assert not desk.path("c.key").exists()
        desk.path(there).unlink()
    desk.path("link.key").symlink_to(desk.path("elsewhere.key"))
    assert "is there already" in desk.refusal("backup", "link.key", *sealed(desk))
    desk.path("new.txt").write_text("precious")
    words = ("backup", "a.key", "--new-passphrase", "new.txt")
    assert "is there already" in desk.refusal(*words)
    assert desk.path("new.txt").read_text() == "precious"
    assert not desk.path("a.key").exists()


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("short", "fewer than 16"),
        ("", "is empty"),
        ("\n" + PHRASE, "is empty"),
        ("\xff" * 9000, "larger than"),
    ],
)
def test_a_weak_passphrase_is_refused(desk: Desk, phrase: str, words: str) -> None:
    desk.path("phrase").write_text(phrase)
    assert words in desk.refusal("backup", "a.key", *sealed(desk))
    assert not desk.path("a.key").exists()


@pytest.mark.parametrize(
    "more",
    [
        ("--csr", "a b"),
        ("--csr", ""),
        ("--csr", "*"),
        ("--csr", "a.example\nb.example"),
        ("--type", "dsa"),
        ("--new-passphrase", "x"),
    ],
)
def test_usage_is_told(desk: Desk, more: tuple[str, ...]) -> None:
    desk.refusal("backup", "a.key", *sealed(desk), *more)
    assert not desk.path("a.key").exists()


def test_a_file_twice_or_in_no_folder(desk: Desk) -> None:
    assert "twice" in desk.refusal("backup", "a.key", "a.key", *sealed(desk))
    nowhere = "none/a.key"
    assert "cannot be written" in desk.refusal("backup", nowhere, *sealed(desk))
    desk.refusal("backup")


def test_a_request_for_a_wildcard_and_long_names(desk: Desk) -> None:
    long = ".".join(["a" * 60, "b" * 60, "example"])
    made = desk.json("backup", "a.key", *sealed(desk), "--csr", long, "--csr", "*.a.example")
    request = x509.load_pem_x509_csr(Path(made["csr"]).read_bytes())
    assert request.subject.rfc4514_string() == "CN=*.a.example"
    only = desk.json("backup", "b.key", *sealed(desk), "--csr", long)
    request = x509.load_pem_x509_csr(Path(only["csr"]).read_bytes())
    assert request.subject.rfc4514_string() == ""
    assert request.extensions[0].critical
