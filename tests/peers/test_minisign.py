"""minisign itself and ours, both ways: keys, signatures, and what either refuses."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from peers.programs import program
from pinwarden.cli.main import run
from pinwarden.pinning.bundle import parse_bundle_file
from pinwarden.pinning.bundle_trust import Trust, accept
from pinwarden.pinning.minisign import parse_public_key, parse_signature
from pinwarden.pinning.minisign_secret import USUAL_COST, Cost, SecretKey, parse_secret_key
from support.pin_bundles import ANNA, BERT, file_of, fresh, key_set, octets_of

pytestmark = pytest.mark.peer

MESSAGE = "which pins to believe: äöü\n".encode()
PHRASE = "correct horse"


class Foreign:
    """The program, in a folder with a message."""

    def __init__(self, folder: Path) -> None:
        self._program = program("minisign")
        self.folder = folder
        self.path("m").write_bytes(MESSAGE)

    def path(self, name: str) -> Path:
        return self.folder / name

    def run(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        ran = subprocess.run(
            [self._program, *arguments],
            input=typed,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def generate(self, name: str) -> SecretKey:
        code, said = self.run("-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.key")
        assert code == 0, said
        key = parse_secret_key(self.path(f"{name}.key").read_text()).open()
        assert key.public == parse_public_key(self.path(f"{name}.pub").read_text())
        return key

    def give(self, name: str, key: SecretKey, passphrase: str | None, cost: Cost) -> None:
        text = key.file_text(passphrase, salt=bytes(range(32)), cost=cost)
        self.path(f"{name}.key").write_text(text)
        self.path(f"{name}.pub").write_text(key.public.file_text)


@pytest.fixture
def minisign(tmp_path: Path) -> Foreign:
    return Foreign(tmp_path)


def test_it_verifies_what_we_sign(minisign: Foreign) -> None:
    minisign.give("a", ANNA, None, USUAL_COST)
    signature = ANNA.sign(MESSAGE, trusted_comment="version 7, äöü")
    minisign.path("m.minisig").write_text(signature.text)
    code, said = minisign.run("-V", "-H", "-m", "m", "-p", "a.pub")
    assert (code, "version 7, äöü" in said) == (0, True), said
    assert minisign.run("-V", "-m", "m", "-P", ANNA.public.text)[0] == 0
    for wrong in (
        replace(signature, trusted_comment="version 8"),
        replace(signature, octets=bytes(64)),
        BERT.sign(MESSAGE),
    ):
        minisign.path("m.minisig").write_text(wrong.text)
        assert minisign.run("-V", "-m", "m", "-p", "a.pub")[0] != 0


def test_we_verify_what_it_signs(minisign: Foreign) -> None:
    key = minisign.generate("theirs")
    assert minisign.run("-S", "-m", "m", "-s", "theirs.key", "-t", "einspaltig äöü")[0] == 0
    signature = parse_signature(minisign.path("m.minisig").read_text())
    signature.verify(MESSAGE, key.public)
    assert signature.trusted_comment == "einspaltig äöü"
    # Ed25519 leaves nothing to chance: the same key makes the same signature.
    assert key.sign(MESSAGE).octets == signature.octets


@pytest.mark.parametrize(
    "cost", [Cost(1 << 15, 1 << 20), Cost(1 << 19, 1 << 24), Cost(1 << 20, 1 << 24)]
)
def test_it_opens_our_sealed_keys(minisign: Foreign, cost: Cost) -> None:
    minisign.give("a", ANNA, PHRASE, cost)
    code, said = minisign.run("-S", "-m", "m", "-s", "a.key", typed=f"{PHRASE}\n")
    assert code == 0, said
    parse_signature(minisign.path("m.minisig").read_text()).verify(MESSAGE, ANNA.public)
    assert minisign.run("-S", "-m", "m", "-s", "a.key", typed="wrong\n")[0] != 0
    assert minisign.run("-R", "-s", "a.key", "-p", "again.pub", typed=f"{PHRASE}\n")[0] == 0
    assert parse_public_key(minisign.path("again.pub").read_text()) == ANNA.public


def test_we_open_its_sealed_keys(minisign: Foreign) -> None:
    """With its usual cost: a gigabyte, and seconds."""
    code, said = minisign.run("-G", "-p", "s.pub", "-s", "s.key", typed=f"{PHRASE}\n{PHRASE}\n")
    if code != 0:
        pytest.skip(f"minisign has not the memory that it wants here: {said[-200:]}")
    sealed = parse_secret_key(minisign.path("s.key").read_text())
    assert sealed.encrypted
    opened = sealed.open(PHRASE)
    assert opened.public == parse_public_key(minisign.path("s.pub").read_text())


def test_signers_may_use_it_alone(minisign: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle is extracted, signed by minisign, and put together again."""
    monkeypatch.chdir(minisign.folder)
    one, two = minisign.generate("one"), minisign.generate("two")
    minisign.path("draft.json").write_bytes(octets_of(file_of(fresh(3), ())))
    assert run(["pin", "verify", "draft.json", "--extract", "out"]) == 1
    added: list[str] = []
    for name in ("one", "two"):
        signature = f"{name}.minisig"
        words = ("-S", "-m", "out/bundle.json", "-s", f"{name}.key", "-x", signature)
        assert minisign.run(*words)[0] == 0
        added += ["--signature", signature]
    assert run(["pin", "sign", "draft.json", *added, "-o", "draft.json"]) == 0
    file = parse_bundle_file(minisign.path("draft.json").read_bytes())
    assert accept(file, Trust("shop", key_set(2, one, two))).version == 3
    keys = ("--key", "one.pub", "--key", "two.pub", "--threshold", "2")
    assert run(["pin", "verify", "draft.json", *keys, "--extract", "again"]) == 0
    for number, name in enumerate(("one", "two"), 1):
        words = ("-V", "-m", "again/bundle.json", "-p", f"{name}.pub")
        assert minisign.run(*words, "-x", f"again/bundle.json.{number}.minisig")[0] == 0
