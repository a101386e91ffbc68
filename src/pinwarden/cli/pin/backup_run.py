"""What `pinwarden pin backup` does."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pinwarden.cli.output import answer, answer_json, say
from pinwarden.cli.pin import passphrases
from pinwarden.cli.pin.sealing import seal
from pinwarden.cli.pin.writing import PRIVATE, PUBLIC, write_new_files
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import normalise_name
from pinwarden.pinning.pin import Pin

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
    )
    from cryptography.x509 import CertificateSigningRequest

__all__ = ["make_backups"]

_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class _Made:
    path: Path
    request: Path | None
    pin: Pin


def make_backups(
    *,
    files: Sequence[Path],
    kind: str,
    passphrase_file: Path | None,
    new_passphrase: Path | None,
    hosts: Sequence[str],
    as_json: bool,
) -> None:
    """Make a sealed key in each file; raises `ConfigError` where something is in the way."""
    if len({path.absolute() for path in files}) != len(files):
        raise ConfigError("pin backup: one file stands there twice")
    names = tuple(map(_host, hosts))
    for path in files:
        for each in (path, *((_request_path(path),) if names else ())):
            if each.exists() or each.is_symlink():
                raise ConfigError(f"file {quoted(str(each))}: is there already")
    phrase, shown = _passphrase(passphrase_file, new_passphrase)
    made: list[_Made] = []
    try:
        for path in files:
            made.append(_make(path, kind, phrase, names))  # noqa: PERF401 - some may be made
    finally:
        # Also where a later file fails: those before it are sealed with this one.
        if shown and made:
            say("the passphrase, shown this once; keep it apart from the key:")
            sys.stderr.write(f"\n    {phrase}\n\n")
    if kind == "ed25519":
        say("note: public CAs issue no certificates for Ed25519 keys")
    for each in made:
        if as_json:
            answer_json(
                {
                    "file": str(each.path),
                    "type": kind,
                    "pin": str(each.pin),
                    "spki_sha256": each.pin.base64,
                    "csr": None if each.request is None else str(each.request),
                }
            )
        else:
            say(f"{quoted(str(each.path))}: sealed; backup_pins takes")
            answer(str(each.pin))


def _passphrase(given: Path | None, new: Path | None) -> tuple[str, bool]:
    """The passphrase, and whether a person must be shown it."""
    if given is not None and new is not None:
        raise ConfigError("--passphrase-file and --new-passphrase: one of them")
    if given is not None:
        phrase = passphrases.read_passphrase(given)
        if len(phrase) < passphrases.SHORTEST:
            raise ConfigError(
                f"--passphrase-file: has fewer than {passphrases.SHORTEST} characters",
                hint="whoever gets the key file can guess as fast as his machines go",
            )
        return phrase, False
    phrase = passphrases.generate()
    if new is not None:
        write_new_files((new, f"{phrase}\n".encode(), PRIVATE))
        say(f"{quoted(str(new))}: holds the passphrase; keep it apart from the key")
        return phrase, False
    if not passphrases.on_person():
        # What runs without a person is recorded, and a log is no place for it.
        raise ConfigError(
            "pin backup: nobody is there to be shown the passphrase",
            hint="--new-passphrase FILE or --passphrase-file FILE",
        )
    return phrase, True


def _make(path: Path, kind: str, phrase: str, names: Sequence[str]) -> _Made:
    from cryptography.hazmat.primitives import serialization

    key = _generate(kind)
    plain = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    files = [(path, seal(plain, phrase), PRIVATE)]
    if names:
        request = _request(key, names)
        pem = request.public_bytes(serialization.Encoding.PEM)
        files.append((_request_path(path), pem, PUBLIC))
    write_new_files(*files)
    try:
        pin = _pin_of(path, phrase)
    except (ValueError, OSError):
        for written, *_ in files:
            with contextlib.suppress(OSError):
                written.unlink()
        raise ConfigError(
            f"file {quoted(str(path))}: what was written cannot be read back"
        ) from None
    return _Made(path, _request_path(path) if names else None, pin)


def _request_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.csr")


def _pin_of(path: Path, phrase: str) -> Pin:
    """From the file as it is on the disk: what is pinned must be what can be opened later."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(path.read_bytes(), phrase.encode("utf-8"))
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Pin.of_spki(spki)


def _generate(kind: str) -> CertificateIssuerPrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    family, _, size = kind.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    return ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1}[size]())


def _request(
    key: CertificateIssuerPrivateKeyTypes, names: Sequence[str]
) -> CertificateSigningRequest:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    first = [name for name in names if len(name) <= _LONGEST_COMMON_NAME][:1]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name) for name in first])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = request.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=not first
    )
    return request.sign(key, None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256())


def _host(text: str) -> str:
    try:
        wildcard, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
        return wildcard + normalise_name(rest)
    except MalformedError as error:
        raise ConfigError(f"--csr: {error}", hint=error.hint) from None
