"""openssl opens what `pinwarden pin backup` sealed, and finds the same pin."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from peers.programs import program
from pinwarden.cli.main import run
from pinwarden.cli.pin.backup import KINDS

pytestmark = pytest.mark.peer


def openssl(folder: Path, *arguments: str) -> tuple[int, bytes]:
    ran = subprocess.run(
        [program("openssl"), *arguments], cwd=folder, capture_output=True, timeout=60, check=False
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_opens_the_key_and_agrees_about_its_pin(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--new-passphrase", "phrase", "--type", kind, "--csr", "a.example", "--json")
    assert run(["pin", "backup", "a.key", *words]) == 0
    made = json.loads(capsys.readouterr().out)
    opening = ("pkey", "-in", "a.key", "-pubout", "-outform", "DER")
    code, spki = openssl(tmp_path, *opening, "-passin", "file:phrase")
    assert code == 0
    assert base64.b64encode(hashlib.sha256(spki).digest()).decode() == made["spki_sha256"]
    assert openssl(tmp_path, *opening, "-passin", "pass:wrong")[0] != 0
    asking = ("req", "-in", "a.key.csr", "-noout", "-verify", "-pubkey")
    code, public = openssl(tmp_path, *asking)
    assert code == 0
    body = b"".join(public.split(b"-----")[2].split())
    assert base64.b64decode(body) == spki
