"""Real and made certificates that parsers stumble over, and what others read in them.

None of the readers is ours: cryptography and OpenSSL where they accept the
certificate, and a search for bytes that hardly knows what a certificate is.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import warnings
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509 as pyca

from pinwarden.errors import MalformedError
from pinwarden.watch.watchlist import WatchItem, parse_watch_item
from support.leaves import rejected_certificates
from x509.test_real_certificates import PEM, by_cryptography, by_openssl, by_search, pems

_REFUSALS = (
    pyca.DuplicateExtension,
    pyca.ExtensionNotFound,
    pyca.InvalidVersion,
    pyca.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class Odd:
    """One certificate and the names that somebody finds in it."""

    der: bytes
    names: frozenset[str]


def odd_certificates(corpus: Path) -> list[Odd]:
    """Every certificate below certs-odd, each once; some of the files hold none in truth."""
    ders = list(dict.fromkeys(_ders(corpus / "certs-odd")))
    printed = by_openssl(ders) if shutil.which("openssl") else {}
    return [Odd(der, frozenset(_names(der, printed.get(der, set())))) for der in ders]


def _ders(folder: Path) -> Iterator[bytes]:
    yield from rejected_certificates(folder.parent)
    yield from pems(folder / "zlint")
    yield from pems(folder / "google-ct-python")
    yield from (path.read_bytes() for path in sorted(folder.glob("google-ct-python/*.der")))
    with gzip.open(folder / "x509-limbo" / "limbo_generated.json.gz", "rb") as file:
        for case in json.load(file)["testcases"]:
            chain = (*case["trusted_certs"], *case["untrusted_intermediates"])
            for text in (case["peer_certificate"], *chain):
                yield from map(b64decode, PEM.findall(text.encode()))


def _names(der: bytes, printed: set[bytes]) -> Iterator[str]:
    """Each name as it was found; a commonName with a space and no dot in it is none."""
    yield from (each.decode() for each in by_search(der))
    yield from (each.decode("latin-1") for each in printed)
    alternative, common = by_cryptography(der) or (set(), set())
    yield from alternative
    yield from (each for each in common if "." in each.strip(". ") or " " not in each)
    yield from _addresses(der)


def _addresses(der: bytes) -> list[str]:
    """The addresses that cryptography reads, if it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            extensions = pyca.load_der_x509_certificate(der).extensions
            kind = pyca.SubjectAlternativeName
            found = extensions.get_extension_for_class(kind).value
            return [str(each) for each in found.get_values_for_type(pyca.IPAddress)]
        except (ValueError, TypeError, KeyError, *_REFUSALS):
            return []


def items_for(name: str) -> dict[str, WatchItem]:
    """Every watch item, by its text, that a certificate for `name` must not get past.

    These are the name, a host that its wildcards stand for, everything below
    each of its parents, and all of these again for what stands before or after a
    NUL byte. What nobody could watch, such as a label with a space, is left out.
    """
    found: dict[str, WatchItem] = {}
    for part in re.split(r"\\x00|\x00", name):
        host = re.sub(r"[*?]", "any", part.strip().rstrip("."))
        for text in (host, *_parents(host)):
            try:
                item = parse_watch_item(text)
            except MalformedError:
                continue
            found[item.text] = item
    return found


def _parents(host: str) -> Iterator[str]:
    labels = host.split(".") if host else []
    for count in range(len(labels)):
        yield "." + ".".join(labels[count:])
