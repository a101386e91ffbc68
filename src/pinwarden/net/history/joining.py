"""One issuance as several sources tell of it.

Two that have the same TBS hash are one issuance (RFC 6962, section 3.2: precertificate and
certificate, in any log). A source that has no hash is joined by serial number and issuer,
which RFC 5280 section 4.1.2.2 lets name one certificate: but never two of different hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pinwarden.issuances import PastIssuance

__all__ = ["join_issuances", "merge_issuances"]

_WORD = re.compile(r"[^\W_]+")
# The kind of an attribute in a name, which one source writes as a word and another as an OID.
_KIND = re.compile(r"(?:^|[,+/])\s*[A-Za-z0-9.]+\s*=")
_MOST_PROBLEMS = 20

_Group = list[PastIssuance]


def join_issuances(told: Iterable[PastIssuance]) -> list[tuple[PastIssuance, ...]]:
    """What was told, one group for each issuance, newest first."""
    groups: list[_Group] = []
    by_hash: dict[bytes, _Group] = {}
    by_serial: dict[tuple[str, ...], _Group | None] = {}
    # Those with a hash first, so that what has none finds them.
    for one in sorted(told, key=lambda each: each.tbs_sha256 is None):
        serial = _serial_key(one)
        if one.tbs_sha256 is not None:
            group = by_hash.get(one.tbs_sha256)
        else:
            group = None if serial is None else by_serial.get(serial)
        if group is None:
            group = []
            groups.append(group)
        group.append(one)
        if one.tbs_sha256 is not None:
            by_hash[one.tbs_sha256] = group
        if serial is not None and by_serial.setdefault(serial, group) is not group:
            # Two certificates of one serial number are a fault of the CA: then nobody can say
            # which of them a source without hashes means.
            by_serial[serial] = None
    newest = sorted(groups, key=lambda group: group[0].not_before, reverse=True)
    return [tuple(group) for group in newest]


def _serial_key(one: PastIssuance) -> tuple[str, ...] | None:
    """Sources write names in another order and with other quotes; the words are the same."""
    if not one.serial or not one.issuer:
        return None
    words = _WORD.findall(_KIND.sub(" ", one.issuer.casefold()))
    return (one.serial.lstrip("0").lower(), *sorted(words))


def merge_issuances(group: Sequence[PastIssuance]) -> PastIssuance:
    """All that the sources tell of one issuance, as one; who told stands in `source`.

    What several tell is taken from the first that has octets or, if none has, from the first.
    """
    ranked = sorted(group, key=lambda each: (each.der is None, each.tbs_sha256 is None))
    first = ranked[0]
    seen = [each.seen for each in ranked if each.seen is not None]
    return replace(
        first,
        names=_union(each.names for each in ranked),
        source=", ".join(_union((each.source,) for each in ranked)),
        reference=next((each.reference for each in ranked if each.reference), ""),
        serial=next((each.serial for each in ranked if each.serial), ""),
        seen=min(seen, default=None),
        tbs_sha256=_known(each.tbs_sha256 for each in ranked),
        certificate_sha256=_known(each.certificate_sha256 for each in ranked),
        spki_sha256=_known(each.spki_sha256 for each in ranked),
        issuer_spki_sha256=_known(each.issuer_spki_sha256 for each in ranked),
        chain_spki_sha256=max((each.chain_spki_sha256 for each in ranked), key=len),
        issuer_domains=_union(each.issuer_domains for each in ranked),
        revoked=_revoked([each.revoked for each in ranked]),
        problems=_union(each.problems for each in ranked)[:_MOST_PROBLEMS],
    )


def _known(values: Iterable[bytes | None]) -> bytes | None:
    return next((each for each in values if each is not None), None)


def _union(several: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for one in several for each in one))


def _revoked(told: Sequence[bool | None]) -> bool | None:
    """A source that has not heard of it yet says no: a yes counts more."""
    if True in told:
        return True
    return False if False in told else None
