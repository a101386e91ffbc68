"""What each platform does with a file of pins, in sentences, from what is known of the platforms.

Knows nothing of how the exports are made: each function reads the text that was written
and answers whether a client of that platform goes on, given the base64 pins of the leaf
and of what is above it. Two answers stand where it is not known which holds.
"""

from __future__ import annotations

import json
import plistlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cryptography import x509

from support.pin_oracle import _pin as pin_in

Files = dict[str, str]
Answers = set[bool]


def _below(host: str, name: str) -> bool:
    return host.endswith(f".{name}")


def _nearest(host: str, names: Iterable[tuple[str, bool]]) -> str | None:
    """The name itself, else the longest above it that includes what is below."""
    fitting = [name for name, below in names if name == host or (below and _below(host, name))]
    return max(fitting, key=len, default=None)


def android(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers:
    """The nearest domain-config; no pins, or pins of the past, are not asked."""
    root = ET.fromstring(files["network_security_config.xml"])
    configs = {
        str(config.findtext("domain")): config
        for config in root.iter("domain-config")
        if config.find("domain") is not None
    }
    names = [
        (name, config.find("domain").get("includeSubdomains") == "true")  # type: ignore[union-attr]
        for name, config in configs.items()
    ]
    name = _nearest(host, names)
    if name is None:
        return {True}
    pin_set = configs[name].find("pin-set")
    pins = set() if pin_set is None else {each.text for each in pin_set.iter("pin")}
    end = None if pin_set is None else pin_set.get("expiration")
    if not pins or (end is not None and at.date() >= date.fromisoformat(end)):
        return {True}
    return {bool(pins & {leaf, *above})}


def apple(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers:
    """One label down; whether lists add up, and whose, is not documented in full."""
    root = plistlib.loads(files["NSAppTransportSecurity.plist"].encode())
    domains = root["NSAppTransportSecurity"]["NSPinnedDomains"]
    fitting = [
        domain
        for name, domain in domains.items()
        if name == host or (domain.get("NSIncludesSubdomains") and host.partition(".")[2] == name)
    ]
    if not fitting:
        return {True}
    nearest = [domains[host]] if host in domains else fitting
    found = set()
    for asked in (nearest, fitting):
        leaves = _identities(asked, "NSPinnedLeafIdentities")
        cas = _identities(asked, "NSPinnedCAIdentities")
        met = ([leaf in leaves] if leaves else []) + ([bool(cas & above)] if cas else [])
        found |= {all(met), any(met)}
    return found


def _identities(domains: Iterable[Any], name: str) -> set[str]:
    return {each["SPKI-SHA256-BASE64"] for domain in domains for each in domain.get(name, ())}


def trustkit(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers:
    """The name itself, else the longest above; an excluded name, and no other, is free."""
    domains = plistlib.loads(files["TSKConfiguration.plist"].encode())["TSKConfiguration"]
    domains = domains["TSKPinnedDomains"]
    name = _nearest(
        host,
        ((name, domain.get("TSKIncludeSubdomains", False)) for name, domain in domains.items()),
    )
    if name is None or "TSKPublicKeyHashes" not in domains[name]:
        return {True}
    domain = domains[name]
    end = domain.get("TSKExpirationDate")
    if end is not None and at.date() >= date.fromisoformat(end):
        return {True}
    met = bool(set(domain["TSKPublicKeyHashes"]) & {leaf, *above})
    return {met or not domain["TSKEnforcePinning"]}


def okhttp(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers:
    """Every pattern that fits, together; `*.` is one label, `**.` any depth and the name."""
    (text,) = files.values()
    pins = set()
    for pattern, pin in re.findall(r'\.add\("([^"]+)", "sha256/([^"]+)"\)', text):
        stars, _, rest = pattern.partition(".")
        if stars == "**":
            fits = host == rest or _below(host, rest)
        elif stars == "*":
            fits = host.partition(".")[2] == rest
        else:
            fits = host == pattern
        pins |= {pin} if fits else set()
    return {not pins or bool(pins & {leaf, *above})}


def hpkp(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers:
    """A client that noted every header at the beginning; which policy counts goes by order."""
    found: Answers = set()
    noted = re.findall(
        r"# (\S+?)(?:;.*)?\n(?:#.*\n)*(Public-Key-Pins[^:]*): (.*)", files["headers.txt"]
    )
    for name, kind, value in noted:
        pins = set(re.findall(r'pin-sha256="([^"]+)"', value))
        age = timedelta(seconds=int(re.findall(r"max-age=(\d+)", value)[0]))
        fits = name == host or ("includeSubDomains" in value and _below(host, name))
        over = at >= datetime.combine(date(2026, 11, 24), time(12), UTC) + age
        if fits and not over and not kind.endswith("Report-Only"):
            found.add(bool(pins & {leaf, *above}))
    return found or {True}


def curl(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers | None:
    """The leaf alone; None for a host for which the string is not used."""
    table = files.get("pinnedpubkey.tsv", "")
    rows = dict(line.split("\t") for line in table.splitlines())
    rows |= {
        name.removesuffix(".pinnedpubkey"): text.strip()
        for name, text in files.items()
        if name.endswith(".pinnedpubkey")
    }
    return {leaf in rows[host].replace("sha256//", "").split(";")} if host in rows else None


def envoy(files: Files, host: str, leaf: str, above: set[str], at: datetime) -> Answers:
    """A cluster of its own for each host: the leaf's pin, or the only authorities."""
    if f"{host}.json" not in files:
        return {True}
    config = json.loads(files[f"{host}.json"])["transport_socket"]["typed_config"]
    validation = config["common_tls_context"]["validation_context"]
    if "verify_certificate_spki" in validation:
        return {leaf in validation["verify_certificate_spki"]}
    text = validation["trusted_ca"]["inline_string"].encode()
    certificates = x509.load_pem_x509_certificates(text)
    from cryptography.hazmat.primitives.serialization import Encoding

    return {bool({pin_in(each.public_bytes(Encoding.DER)) for each in certificates} & above)}


Platform = Callable[[Files, str, str, set[str], datetime], "Answers | None"]
PLATFORMS: dict[str, Platform] = {
    "android-xml": android,
    "apple-plist": apple,
    "curl-string": curl,
    "envoy": envoy,
    "hpkp": hpkp,
    "okhttp-java": okhttp,
    "okhttp-kotlin": okhttp,
    "trustkit-android": android,
    "trustkit-plist": trustkit,
}
