"""Servers and a pin set of many behaviours, for the programs that pins are exported to.

Each host of `everything()` behaves in its own way towards `genuine`, and all servers have
certificates for all of them, so that one export, compiled once, is tried in every way.
`expected` is what our own check says of a host at a server, by OpenSSL's verified chain.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

from pinwarden.lab import asn1
from pinwarden.lab.ca import CA
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.pinning import Mode, OnExpiry, PinPolicy, PinSet, UnpinnedHosts
from pinwarden.pinning.peer_chain import verified_chain
from pinwarden.pinning.policy import PinnedKey, PinRole
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_chains import crossed
from support.pin_world import world

ADDRESS = "127.0.0.1"
NAMES = (
    *("ca.test", "root.test", "leaf.test", "backup.test", "wrong.test", "swapped.test"),
    *("forbidden.test", "reporting.test", "closed.test", "open.test", "loose.test"),
    *("today.test", "below.test", "a.below.test", "a.b.below.test", "own.below.test"),
    *("out.below.test", "x.out.below.test", "notbelow.test", "free.test"),
)


@cache
def chains() -> dict[str, Credentials]:
    """What the servers show: `genuine`, `rogue`, `stuffed` and `crafted`.

    `crafted` is rogue with its root "by" A's intermediate and A's intermediate behind it:
    linked by names up to A, and by signatures only to B.
    """
    a, b = world().authorities.a, world().authorities.b
    genuine = Credentials.of(a.issue(NAMES, ips=[ADDRESS]))
    rogue = b.issue(NAMES, ips=[ADDRESS])
    claimed = CA("Forger").sign(asn1.children(_root_by_intermediate(b, a))[0])
    return {
        "genuine": genuine,
        "rogue": Credentials.of(rogue),
        "stuffed": Credentials(
            (*rogue.served_chain, a.intermediate, a.root, genuine.certificates[0]),
            rogue.private_key,
        ),
        "crafted": Credentials((*rogue.served_chain, claimed, a.intermediate), rogue.private_key),
    }


def _root_by_intermediate(new: CA, above: CA) -> bytes:
    """A root as an intermediate of another's intermediate, by name."""
    issuer = CA("Issuer")
    issuer.root, issuer.root_key = above.intermediate, above.key
    return crossed(new, issuer)


@contextmanager
def servers() -> Iterator[dict[str, LabTLS]]:
    """A running server for each of `chains`."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(LabTLS(shown)) for name, shown in chains().items()}


def policy(host: str, mode: Mode = Mode.ENFORCE, **options: object) -> PinPolicy:
    """A policy with pins by name, as `support.pin_world.policy`, and `leaf` of `genuine`."""
    pins = {**world().pins, "leaf": pin_of_certificate(chains()["genuine"].certificates[0])}
    given = {role: options.pop(role.value, ()) for role in PinRole}
    given[PinRole.BACKUP] = given[PinRole.BACKUP] or "spare"
    keys = tuple(
        PinnedKey(pins[name], role)
        for role, names in given.items()
        for name in ([names] if isinstance(names, str) else names)
    )
    return PinPolicy(host=host, mode=mode, keys=keys, **options)


def certificates() -> tuple[bytes, ...]:
    """The certificates of the pinned CAs."""
    a = world().authorities.a
    return (a.root, a.intermediate)


def simple() -> tuple[PinPolicy, ...]:
    """Policies that almost every form can say."""
    return (
        policy("ca.test", ca="intermediate"),
        policy("root.test", ca="root"),
        policy("leaf.test", leaf="leaf"),
        policy("backup.test", ca="stray", backup="intermediate"),
        policy("wrong.test", ca="stray"),
        policy("below.test", ca="stray", include_subdomains=True),
    )


def everything(unpinned: UnpinnedHosts = UnpinnedHosts.ALLOW) -> PinSet:
    """A set with every rule that there is."""
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)
    return PinSet(
        (
            *simple()[:-1],
            policy("swapped.test", ca="leaf", leaf="intermediate"),
            policy("forbidden.test", ca="intermediate", forbidden="leaf"),
            policy("reporting.test", Mode.REPORT_ONLY, ca="stray"),
            policy("closed.test", ca="intermediate", **_ending(yesterday, OnExpiry.CLOSED)),
            policy("open.test", ca="stray", **_ending(yesterday, OnExpiry.OPEN)),
            policy("loose.test", ca="stray", **_ending(yesterday, OnExpiry.REPORT_ONLY)),
            policy("today.test", ca="intermediate", **_ending(today, OnExpiry.CLOSED)),
            policy("below.test", ca="stray", include_subdomains=True, exclude=("out.below.test",)),
            policy("own.below.test", ca="intermediate"),
            policy(ADDRESS, ca="root"),
        ),
        unpinned_hosts=unpinned,
    )


def _ending(day: object, then: OnExpiry) -> dict[str, object]:
    return {"expires": day, "on_expiry": then}


def expected(pins: PinSet, host: str, server: LabTLS) -> bool:
    """Whether our own check lets a connection to a host go on."""
    context = ssl.create_default_context(cafile=world().cafile)
    with (
        socket.create_connection(server.address) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        chain = verified_chain(tls)
    return pins.check(chain, host, at=datetime.now(UTC)).allowed
