"""What people and scripts are told of a bundle, and how bundles and their keys are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pinwarden.cli.files import read_file
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.pinning.bundle import (
    LARGEST_FILE,
    Bundle,
    BundleFile,
    parse_bundle_file,
)
from pinwarden.pinning.minisign import PublicKey, parse_public_key
from pinwarden.pinning.moments import to_moment

__all__ = ["bundle_json", "bundle_lines", "changes", "read_bundle_file", "read_public_key"]

_LARGEST_KEY = 1 << 16
_MOST_HOSTS = 20


def read_bundle_file(path: Path) -> BundleFile:
    """The bundle in a file, of which nothing is believed; raises `ConfigError`."""
    data = read_file(path, LARGEST_FILE)
    try:
        return parse_bundle_file(data)
    except MalformedError as error:
        who = "standard input" if str(path) == "-" else f"file {quoted(str(path))}"
        raise ConfigError(f"{who}: {error}", hint=error.hint) from None


def read_public_key(text: str) -> PublicKey:
    """A public key as a person gives it: itself, or a file of it; raises `ConfigError`."""
    try:
        return parse_public_key(text)
    except MalformedError as error:
        if not Path(text).is_file():
            raise ConfigError(
                f"{error}, and {quoted(text, 80)} is no file either", hint=error.hint
            ) from None
    data = read_file(Path(text), _LARGEST_KEY)
    try:
        return parse_public_key(data.decode("utf-8"))
    except (MalformedError, UnicodeDecodeError) as error:
        raise ConfigError(f"file {quoted(text)}: is no minisign public key: {error}") from None


def bundle_json(bundle: Bundle) -> dict[str, Any]:
    """What a bundle says, as docs/command-line-pin.md has it; the pins themselves left out."""
    following = bundle.next_keys
    return {
        "name": bundle.name,
        "version": bundle.version,
        "issued": to_moment(bundle.issued),
        "expires": to_moment(bundle.expires),
        "next_keys": None if following is None else [key.shown_id for key in following.keys],
        "next_threshold": None if following is None else following.threshold,
        "hosts": [policy.host for policy in bundle.pins.policies],
    }


def bundle_lines(bundle: Bundle) -> Iterator[str]:
    """What a bundle says, in words."""
    yield f"bundle {bundle.name}, version {bundle.version}"
    yield f"  issued {to_moment(bundle.issued)}, good until {to_moment(bundle.expires)}"
    hosts = [display(policy.host) for policy in bundle.pins.policies]
    more = f" and {len(hosts) - _MOST_HOSTS} more" if len(hosts) > _MOST_HOSTS else ""
    yield f"  hosts: {', '.join(hosts[:_MOST_HOSTS])}{more}"
    if bundle.next_keys is not None:
        keys = ", ".join(key.shown_id for key in bundle.next_keys.keys)
        yield f"  hands over to {bundle.next_keys.threshold} of the keys {keys}"


def changes(before: Bundle, after: Bundle) -> Iterator[str]:
    """In what two bundles differ, policy by policy."""
    old = {policy.host: policy for policy in before.pins.policies}
    new = {policy.host: policy for policy in after.pins.policies}
    for host in sorted(old.keys() | new.keys()):
        if host not in new:
            yield f"{display(host)}: is no longer pinned"
        elif host not in old:
            yield f"{display(host)}: is pinned from now on"
        elif old[host] != new[host]:
            gone, come = old[host].pins() - new[host].pins(), new[host].pins() - old[host].pins()
            words = [f"without {pin}" for pin in sorted(gone)] + [f"with {p}" for p in sorted(come)]
            yield f"{display(host)}: {', '.join(words) or 'other rules, the same pins'}"
    if before.pins.unpinned_hosts is not after.pins.unpinned_hosts:
        yield f"unpinned hosts: {after.pins.unpinned_hosts}"
    if after.next_keys is not None:
        yield "the signing keys change"
