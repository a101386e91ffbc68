"""What a resolver was already told."""

from __future__ import annotations

from pinwarden.caa.lookup import Lookup

# In octets of records and names, roughly; a lookup without any weighs the least.
_MOST_WEIGHT = 64 * 1024 * 1024
_LEAST_WEIGHT = 1024


class Memory:
    """Lookups by name, up to a size; those not asked for again are forgotten first."""

    def __init__(self, most: int = _MOST_WEIGHT) -> None:
        self._most = most
        self._weight = 0
        self._lookups: dict[str, tuple[Lookup, int]] = {}

    def recall(self, name: str) -> Lookup | None:
        """What is known of a name."""
        found = self._lookups.pop(name, None)
        if found is None:
            return None
        # Back at the end: parents are asked for by every name below them.
        self._lookups[name] = found
        return found[0]

    def keep(self, name: str, lookup: Lookup) -> None:
        """Remember it; it may push out what nobody asked for lately."""
        weight = _LEAST_WEIGHT
        if lookup.records or lookup.broken:
            weight += sum([256 + len(each.tag) + len(each.value) for each in lookup.records])
            weight += sum([256 + len(each.rdata) for each in lookup.broken])
        self._weight += weight
        self._lookups[name] = (lookup, weight)
        while self._weight > self._most:
            oldest = next(iter(self._lookups))
            self._weight -= self._lookups.pop(oldest)[1]
