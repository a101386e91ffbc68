"""Certificates, pins and servers with which to try out pinning.

`world()` makes everything once in a process (about 30 ms), and `World` holds it:

- `world().chains[NAME]`: what a server shows, as `Credentials` for `LabTLS`. Names:

  genuine            leaf, intermediate of authority A; good for every name in `NAMES`
  rogue              the same names, issued by authority B, which clients trust too
  stuffed            rogue, with A's intermediate, root and leaf appended
  cross-signed       genuine, with A's root as signed by Old appended
  forged             a leaf "by" A's intermediate with a false signature, and that intermediate
  fake-intermediate  rogue's leaf, B's intermediate "by" A's intermediate with a false
                     signature, A's intermediate, B's intermediate
  expired            genuine, ended yesterday
  wrong-host         by A, for other.example alone
  self-signed        a root of its own that nobody trusts
  rsa-pss, ed25519, compressed   by A, with keys that are easily re-encoded (TLS 1.3)

- `world().pins[NAME]`: a `Pin`: leaf, intermediate, root (of genuine), old-root,
  rogue-leaf, rogue-intermediate, rogue-root, rsa-pss, ed25519, compressed (leaf keys),
  spare (a key that nobody serves), stray (another).
- `world().bundle` (str, PEM) and `world().cafile` (a path): trust in A and B.
  `bundle_of("a", "old", …)` for other mixtures of a, b, old, intermediate.
- `pin_set(NAME, host=HOST)`: a `PinSet` by what it does to a connection to genuine:

  good       matches (A's intermediate is pinned, `spare` is the backup)
  root       matches (A's root)            leaf     matches (the leaf as a leaf pin)
  backup     matches only by a backup pin  wrong    does not match: enforced
  forbidden  the intermediate is pinned and the leaf's key is forbidden
  report-only                    does not match and is only reported
  expired-closed, expired-open, expired-report-only     ended yesterday; would match, if not
  stale-closed, stale-open, stale-report-only           ended yesterday; wrong too
  refuse-unpinned                good, and refuses every other host

- `world().serve(NAME, **LabTLS options)`: a `LabTLS` to be entered with `with` or
  `async with`; `server.visits[n].said` are the application bytes that it received, and
  `said(server)` is all of them. With `resuming=True` its sessions can be resumed
  (then it does not look at SNI, and `visits[n].sni` stays None).
- `world().client_certificate`: `Credentials` of a client, issued by A.

`HOST` is "localhost", so that any client reaches the server by the name that is pinned:
`f"https://{HOST}:{server.port}/"`. By 127.0.0.1 it reaches a host that no policy is
about, with a certificate that is as valid. The other names are for clients that can be
told an address besides the name.
"""

from __future__ import annotations

import atexit
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pinwarden.lab.ca import CA, pem
from pinwarden.lab.tls import Credentials, LabTLS, Visit
from pinwarden.pinning import Pin, PinPolicy, PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinRole, UnpinnedHosts
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_chains import Authorities, chains_of, client_certificate

HOST = "localhost"
UNPINNED = "127.0.0.1"
NAMES = ("localhost", "shop.example", "www.shop.example", "xn--bcher-kva.example")
IPS = ("127.0.0.1", "::1")


class ResumingTLS(LabTLS):
    """A `LabTLS` with one context for all its connections, so that sessions resume."""

    def _entrance(self, visit: Visit) -> ssl.SSLContext:
        return self._default


@dataclass(frozen=True)
class World:
    """See the head of this file."""

    authorities: Authorities
    chains: dict[str, Credentials]
    pins: dict[str, Pin]
    bundle: str
    cafile: str
    client_certificate: Credentials

    def serve(self, name: str = "genuine", *, resuming: bool = False, **options: Any) -> LabTLS:
        """A server, not yet started, that shows the named chain."""
        return (ResumingTLS if resuming else LabTLS)(self.chains[name], **options)

    def bundle_of(self, *names: str) -> str:
        """A trust store in PEM: of `a`, `b`, `old` and `intermediate` (A's)."""
        found = {
            "a": self.authorities.a.root,
            "b": self.authorities.b.root,
            "old": self.authorities.old.root,
            "intermediate": self.authorities.a.intermediate,
        }
        return pem([found[name] for name in names]).decode()


def said(server: LabTLS) -> bytes:
    """Every application byte that any client got through to a server."""
    return b"".join(bytes(visit.said) for visit in server.visits)


@cache
def world() -> World:
    """The world of this process."""
    authorities = Authorities(CA("Genuine"), CA("Rogue"), CA("Old"))
    chains = chains_of(authorities, NAMES, IPS)
    a, b = authorities.a, authorities.b
    certificates = {
        "leaf": chains["genuine"].certificates[0],
        "intermediate": a.intermediate,
        "root": a.root,
        "old-root": authorities.old.root,
        "rogue-leaf": chains["rogue"].certificates[0],
        "rogue-intermediate": b.intermediate,
        "rogue-root": b.root,
        **{odd: chains[odd].certificates[0] for odd in ("rsa-pss", "ed25519", "compressed")},
        "spare": CA("Spare").root,
        "stray": CA("Stray").root,
    }
    bundle = pem([a.root, b.root]).decode()
    return World(
        authorities=authorities,
        chains=chains,
        pins={name: pin_of_certificate(der) for name, der in certificates.items()},
        bundle=bundle,
        cafile=_written(bundle),
        client_certificate=client_certificate(a),
    )


def policy(host: str = HOST, mode: Mode = Mode.ENFORCE, **options: Any) -> PinPolicy:
    """A policy whose pins are given by name: `ca=`, `leaf=`, `backup=`, `forbidden=`.

    Each is one name of `world().pins` or several; the backup is `spare` unless said
    otherwise. Other options are those of `PinPolicy`.
    """
    named = {role: options.pop(role.value, ()) for role in PinRole}
    named[PinRole.BACKUP] = named[PinRole.BACKUP] or "spare"
    keys = [
        PinnedKey(world().pins[name], role)
        for role, names in named.items()
        for name in ([names] if isinstance(names, str) else names)
    ]
    return PinPolicy(host=host, mode=mode, keys=tuple(keys), **options)


_BEHAVIOURS: dict[str, dict[str, Any]] = {
    "good": {"ca": "intermediate"},
    "root": {"ca": "root"},
    "leaf": {"leaf": "leaf"},
    "backup": {"ca": "stray", "backup": "intermediate"},
    "wrong": {"ca": "stray"},
    "forbidden": {"ca": "intermediate", "forbidden": "leaf"},
    "report-only": {"ca": "stray", "mode": Mode.REPORT_ONLY},
    "refuse-unpinned": {"ca": "intermediate"},
}


def pin_set(name: str, host: str = HOST) -> PinSet:
    """A pin set by its behaviour: see the head of this file."""
    unpinned = UnpinnedHosts.REFUSE if name == "refuse-unpinned" else UnpinnedHosts.ALLOW
    age, _, at_expiry = name.partition("-")
    if age in ("expired", "stale"):
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        pinned = "intermediate" if age == "expired" else "stray"
        ended = policy(host, ca=pinned, expires=yesterday, on_expiry=OnExpiry(at_expiry))
        return PinSet([ended])
    return PinSet([policy(host, **_BEHAVIOURS[name])], unpinned_hosts=unpinned)


def _written(text: str) -> str:
    folder = tempfile.TemporaryDirectory(prefix="pinwarden-pins-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "bundle.pem"
    path.write_text(text, encoding="ascii")
    return str(path)
