"""Some twenty servers that a pinned client may meet, for comparing who accepts which."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from pinwarden.lab.ca import CA, new_key
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_world import HOST, world

IDN = "xn--bcher-kva.example"


@dataclass(frozen=True)
class Case:
    """A server, the name by which it is asked, and the leaf pins that clients have for it."""

    credentials: Credentials
    pins: tuple[str, ...]
    host: str = HOST
    options: dict[str, Any] = field(default_factory=dict)


def _pins(*names: str) -> tuple[str, ...]:
    return tuple(world().pins[name].curl for name in names)


def _own(credentials: Credentials) -> tuple[str, ...]:
    """The pin of the leaf that is shown."""
    return (pin_of_certificate(credentials.certificates[0]).curl,)


def cases() -> dict[str, Case]:
    """By what is special about them."""
    chains, a = world().chains, world().authorities.a
    genuine = chains["genuine"]
    key = genuine.private_key
    renewed = Credentials.of(a.issue([HOST], key=key, days=30))
    rekeyed = Credentials.of(a.issue([HOST]))
    rsa = Credentials.of(a.issue([HOST], key=new_key("rsa")))
    p384 = Credentials.of(a.issue([HOST], key=ec.generate_private_key(ec.SECP384R1())))
    bare = Credentials.of(a.issue([HOST]), intermediates=False)
    wildcard = Credentials.of(a.issue(["*.shop.example"]))
    future = Credentials.of(a.issue([HOST], not_before=datetime.now(UTC) + timedelta(days=2)))
    unknown = Credentials.of(CA("Unknown").issue([HOST]))
    old = {"newest": ssl.TLSVersion.TLSv1_2}
    return {
        "genuine": Case(genuine, _pins("leaf")),
        "second of two pins": Case(genuine, _pins("stray", "leaf")),
        "wrong pin": Case(genuine, _pins("stray")),
        "intermediate pinned as leaf": Case(genuine, _pins("intermediate")),
        "TLS 1.2": Case(genuine, _pins("leaf"), options=old),
        "TLS 1.2, wrong pin": Case(genuine, _pins("spare"), options=old),
        "renewed with its key": Case(renewed, _pins("leaf")),
        "renewed with another key": Case(rekeyed, _pins("leaf")),
        "rogue": Case(chains["rogue"], _pins("leaf")),
        "rogue, and pinned": Case(chains["rogue"], _pins("rogue-leaf")),
        "stuffed": Case(chains["stuffed"], _pins("leaf", "intermediate", "root")),
        "cross-signed": Case(chains["cross-signed"], _pins("leaf")),
        "forged": Case(chains["forged"], _own(chains["forged"])),
        "fake intermediate": Case(chains["fake-intermediate"], _pins("leaf", "intermediate")),
        "expired": Case(chains["expired"], _own(chains["expired"])),
        "not yet valid": Case(future, _own(future)),
        "wrong host": Case(chains["wrong-host"], _own(chains["wrong-host"])),
        "self-signed": Case(chains["self-signed"], _own(chains["self-signed"])),
        "unknown authority": Case(unknown, _own(unknown)),
        "forgotten intermediate": Case(bare, _own(bare)),
        "RSA": Case(rsa, _own(rsa)),
        "RSA, wrong pin": Case(rsa, _pins("leaf")),
        "P-384": Case(p384, _own(p384)),
        "RSA-PSS": Case(chains["rsa-pss"], _pins("rsa-pss")),
        "Ed25519": Case(chains["ed25519"], _pins("ed25519")),
        "Ed25519, wrong pin": Case(chains["ed25519"], _pins("leaf")),
        "compressed point": Case(chains["compressed"], _pins("compressed")),
        "by address": Case(genuine, _pins("leaf"), host="127.0.0.1"),
        "internationalised": Case(genuine, _pins("leaf"), host=IDN),
        "wildcard": Case(wildcard, _own(wildcard), host="a.shop.example"),
        "wildcard, too deep": Case(wildcard, _own(wildcard), host="b.a.shop.example"),
    }


@contextmanager
def serving(found: dict[str, Case]) -> Iterator[dict[str, LabTLS]]:
    """A server for each case."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(LabTLS(case.credentials, **case.options))
            for name, case in found.items()
        }
