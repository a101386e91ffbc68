"""A second, naive answer to what a pin set says: sentences instead of tables and caches.

Knows nothing of how `pinwarden.pinning` decides: keys are found with cryptography, names
are compared label by label, and every rule is tried for every policy.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Rule:
    """A policy in the plainest of values; pins are base64, expiry is `(day, word)` or None."""

    host: str
    enforce: bool
    leaf: tuple[str, ...]
    ca: tuple[str, ...]
    backup: tuple[str, ...]
    forbidden: tuple[str, ...]
    below: bool
    exclude: tuple[str, ...]
    expiry: tuple[date, str] | None


@dataclass(frozen=True)
class Answer:
    """What is to be said of a connection; `rule` is the host of the policy that decided."""

    verdict: str
    allowed: bool
    rule: str | None
    matched: frozenset[str]


def answer(
    rules: list[Rule], refuse_others: bool, host: str, chain: list[bytes], at: datetime
) -> Answer:
    """The answer for a host name in lower case and a chain of readable certificates."""
    rule = _rule_for(rules, host)
    if rule is None:
        return Answer("unknown", not refuse_others, None, frozenset())
    over = rule.expiry is not None and at.date() > rule.expiry[0]
    word = rule.expiry[1] if rule.expiry and over else "in force"
    if word == "open":
        return Answer("unknown", True, rule.host, frozenset())
    refusing = rule.enforce and word != "report-only"
    pins = [_pin(each) for each in chain]
    found = {pin for pin in pins[:1] if pin in rule.leaf or pin in rule.backup}
    found |= {pin for pin in pins[1:] if pin in rule.ca or pin in rule.backup}
    bad = any(pin in rule.forbidden for pin in pins)
    if word == "closed" or bad or not found:
        return Answer("mismatch", not refusing, rule.host, frozenset())
    return Answer("match", True, rule.host, frozenset(found))


def _rule_for(rules: list[Rule], host: str) -> Rule | None:
    covering = [rule for rule in rules if _is_at_or_below(host, rule)]
    covering.sort(key=lambda rule: len(rule.host.split(".")))
    if not covering:
        return None
    nearest = covering[-1]
    for name in nearest.exclude:
        if host.split(".")[-len(name.split(".")) :] == name.split("."):
            return None
    return nearest


def _is_at_or_below(host: str, rule: Rule) -> bool:
    asked, ours = host.split("."), rule.host.split(".")
    return asked == ours or (rule.below and asked[-len(ours) :] == ours)


def _pin(certificate: bytes) -> str:
    key = x509.load_der_x509_certificate(certificate).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()
