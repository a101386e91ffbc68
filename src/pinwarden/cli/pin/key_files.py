"""Files of certificates and keys that the user names, and the passphrases of sealed keys."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from pinwarden.cli.files import read_file
from pinwarden.cli.output import say
from pinwarden.cli.pin.passphrases import ask, read_passphrase
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.pinning.material import LARGEST_FILE, KeyMaterial, is_in_order, read_material

__all__ = [
    "could_be_host",
    "is_file",
    "looks_like_pin",
    "passphrase_option",
    "read_chain",
    "read_keys",
]

# What cannot be a host: a hash with its name before it, in base64, or in hexadecimal.
_PIN = re.compile(
    r"\s*(?:(?:pin-)?(?:sha-?\d+|md5)\s*[:/=].*|[A-Za-z0-9+/]{43}=|[0-9A-Fa-f]{64}"
    r"|(?:[0-9A-Fa-f]{2}[: ]){15,}[0-9A-Fa-f]{2}|(?:sha-?\d+|md5) fingerprint.*)\s*",
    re.IGNORECASE | re.DOTALL,
)

_NO_TOP_LEVEL_DOMAINS = frozenset(
    {".pem", ".crt", ".cer", ".der", ".key", ".csr", ".p7b", ".p7c", ".toml", ".json"}
)
_OF_FILES = _NO_TOP_LEVEL_DOMAINS | {".pub", ".txt"}

passphrase_option = click.option(
    "--passphrase-file",
    metavar="FILE",
    help="The passphrase of an encrypted private key [default: asked on the terminal].",
)


def looks_like_pin(target: str) -> bool:
    """Whether a text is meant as a pin, well written or not; a file so named is `./NAME`."""
    return _PIN.fullmatch(target) is not None


def is_file(target: str) -> bool:
    """Whether a target is a file: `-`, a path with a separator, or one that is here.

    A name that ends as only files do is one too, so that no resolver is asked for it.
    """
    if target == "-":
        return True
    if "://" in target or looks_like_pin(target):
        return False
    if os.sep in target or Path(target).suffix.lower() in _NO_TOP_LEVEL_DOMAINS:
        return True
    try:
        return Path(target).is_file()
    except OSError:
        return False


def could_be_host(file: str) -> bool:
    """Whether the name of a file reads like that of a host, so that either may be meant."""
    return "." in file and "/" not in file and Path(file).suffix.lower() not in _OF_FILES


def read_keys(path: str, passphrase_file: str | None = None) -> list[KeyMaterial]:
    """The keys in a file, leaf first; raises `ConfigError` naming the file.

    Says so if the file has a chain in another order.
    """
    data = _read(path)
    name = "standard input" if path == "-" else f"file {quoted(path)}"

    def passphrase(who: str) -> bytes:
        if passphrase_file is not None:
            return read_passphrase(Path(passphrase_file)).encode()
        return ask(f"{name}: {who}").encode()

    try:
        found = read_material(data, passphrase)
    except (MalformedError, ConfigError) as error:
        message = str(error) if str(error).startswith(name) else f"{name}: {_without(error)}"
        raise ConfigError(message, hint=error.hint) from None
    if not is_in_order(found):
        say(f"note: {name}: the chain is not in order, leaf first; a server needs it so")
    return found


def read_chain(path: str, passphrase_file: str | None = None) -> tuple[bytes, ...]:
    """The certificates in the file of --chain, in DER and leaf first; raises `ConfigError`."""
    material = read_keys(path, passphrase_file)
    chain = tuple(each.der for each in material if each.certificate is not None)
    if not chain:
        raise ConfigError(f"--chain {quoted(path)}: holds no certificate")
    return chain


def _read(path: str) -> bytes:
    try:
        return read_file(Path(path), LARGEST_FILE)
    except ConfigError as error:
        before, slash, _ = path.partition("/")
        if slash and re.search(r"[.:]", before.strip(".")):
            hint = "a host stands without a path, or in a URL such as https://example.com/"
            raise ConfigError(str(error), hint=hint) from None
        raise


def _without(error: Exception) -> str:
    return str(error).removeprefix("file: ")
