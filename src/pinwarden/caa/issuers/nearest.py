"""Which CA domain was meant by one that is no CA's: mistypings, brands, hosts.

`issue "letsecrypt.org"` is a valid record that locks everybody out, so it deserves
a suggestion; a wrong suggestion is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Nobody mistypes more than that, and the distance takes quadratic time.
_LENGTH_LIMIT = 64
_DISTANCE = 2
_SHORTEST_FOR_TWO = 9
_SPREAD = 5
_SHORTEST_LABEL = 3
_SHORTEST_BRAND = 6
_NOT_LETTERS = re.compile(r"[^0-9a-z]+")
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]{0,20}:)?(?://)?(?:[^/@\s]{0,64}@)?([^/:?#\s]+)")
_GENERIC = frozenset(("com", "net", "org"))
# No public CA goes by a name below these, and no slip of the hand ends in one.
_PRIVATE = frozenset(("corp", "home", "internal", "intranet", "lan", "local", "private"))
_PRIVATE |= frozenset(("example", "invalid", "localhost", "test"))
# Under these, two labels are what everybody may register under.
_SECOND_LEVEL = frozenset(("co", "com", "gov", "ne", "net", "org", "gob", "nat", "or", "go"))


@dataclass(frozen=True, slots=True)
class Known:
    """One owner as the search sees it: its number, its domains and its names."""

    owner: int
    domains: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A domain near the one asked for; the lower the `rank` the nearer."""

    rank: int
    domain: str
    owner: int
    why: str


def find_nearest(text: str, known: Iterable[Known], limit: int) -> tuple[Near, ...]:
    """The domains that may have been meant, at most one of each owner, the likeliest first."""
    asked = _Asked.of(text)
    if asked is None or asked.host.rpartition(".")[2] in _PRIVATE:
        return ()
    best: dict[int, Near] = {}
    for each in known:
        for near in _candidates(asked, each):
            if each.owner not in best or near.rank < best[each.owner].rank:
                best[each.owner] = near
    ordered = sorted(best.values(), key=lambda near: (near.rank, near.domain))
    # Where something is nearly certain, the merely possible only confuses.
    return tuple(near for near in ordered if near.rank <= ordered[0].rank + _SPREAD)[:limit]


@dataclass(frozen=True, slots=True)
class _Asked:
    host: str
    label: str
    folded: str

    @classmethod
    def of(cls, text: str) -> _Asked | None:
        lowered = text[:_LENGTH_LIMIT].strip().lower()
        folded = _NOT_LETTERS.sub("", lowered)
        if not folded or len(text) > _LENGTH_LIMIT:
            return None
        match = _HOST.match(lowered)
        host = (match[1] if match else lowered).strip(".")
        return cls(host, _NOT_LETTERS.sub("", registered_label(host)), folded)


def _candidates(asked: _Asked, known: Known) -> Iterator[Near]:
    for name in known.names:
        folded = _NOT_LETTERS.sub("", name.lower())
        if folded and folded in (asked.folded, asked.label) and known.domains:
            yield Near(0, known.domains[0], known.owner, f"{name} goes by this name")
    for domain in known.domains:
        near = _by_host(asked, domain, known.owner) or _by_distance(asked, domain, known.owner)
        if near is not None:
            yield near
    if known.domains and (near := _by_brand(asked, known)) is not None:
        yield near


def _by_host(asked: _Asked, domain: str, owner: int) -> Near | None:
    if asked.host == domain:
        return Near(1, domain, owner, "an issuer domain name stands alone, without a URL around it")
    if asked.host.endswith(f".{domain}"):
        return Near(2, domain, owner, "the CA goes by this name, not by one below it")
    if domain.endswith(f".{asked.host}") and "." in asked.host:
        return Near(6, domain, owner, "the CA goes by this name, not by the one above it")
    label = _NOT_LETTERS.sub("", registered_label(domain))
    if label == asked.label and len(label) >= _SHORTEST_LABEL and _may_share(label, asked, domain):
        return Near(4, domain, owner, "the same name under another top-level domain")
    return None


def _may_share(label: str, asked: _Asked, domain: str) -> bool:
    """Labels such as `pki` and `ssl` are everybody's: then the top levels must be alike too."""
    theirs, ours = (each.rpartition(".")[2] for each in (domain, asked.host))
    alike = theirs[:1] == ours[:1] or {theirs, ours} <= _GENERIC
    return len(label) > _SHORTEST_LABEL or alike


def _by_distance(asked: _Asked, domain: str, owner: int) -> Near | None:
    allowed = _DISTANCE if len(domain) >= _SHORTEST_FOR_TWO else 1
    apart = distance(asked.host, domain, allowed)
    if apart <= allowed:
        letters = "one letter" if apart == 1 else f"{apart} letters"
        return Near(10 + apart, domain, owner, f"{letters} apart")
    label = registered_label(domain)
    if len(label) >= _SHORTEST_BRAND:
        apart = distance(asked.label, label, 1)
        if apart <= 1:
            return Near(20 + apart, domain, owner, "almost the same name")
    return None


def _by_brand(asked: _Asked, known: Known) -> Near | None:
    brands = [registered_label(domain) for domain in known.domains]
    brands += [_NOT_LETTERS.sub("", name.lower()) for name in known.names]
    for brand in brands:
        if len(brand) >= _SHORTEST_BRAND and brand in asked.label:
            return Near(30, known.domains[0], known.owner, f"it contains {brand}")
    return None


def registered_label(domain: str) -> str:
    """The label that carries the name: `digicert` of `www.digicert.com` or `digicert.co.uk`."""
    labels = domain.split(".")
    if len(labels) > 2 and labels[-2] in _SECOND_LEVEL:
        return labels[-3]
    return labels[-2] if len(labels) > 1 else labels[0]


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be put in, left out, changed or swapped with their neighbour.

    The optimal string alignment distance; any number above `most` means more than that.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        earlier, before = before, row
        row = [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
