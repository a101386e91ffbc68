"""The watch list: whose names and addresses we look for.

An item is an exact name (`www.example.com`), a name and everything below it
(`.example.com`), everything (`.`), an IP address or an address range
(`192.0.2.0/24`). Names hang in one label tree, so that a certificate costs the
same whether ten names are watched or a hundred thousand.

Matching fails open: a wildcard, a glob or a label that nobody can read matches
whatever it might stand for (`names.label_matches`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from pinwarden.errors import MalformedError, quoted
from pinwarden.names import UNREADABLE_LABEL, label_matches, normalise_name
from pinwarden.x509.identifiers import Identifiers

# What a label must contain to stand for anything but itself.
_INEXACT = frozenset({"*", "?", UNREADABLE_LABEL})

# What a person who writes it means as an address or a range.
_LIKE_AN_ADDRESS = re.compile(r"[0-9./]+|\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.%]*\]?(?:/.*)?")

# Bytes that could be a name of several labels, in lower case. Begun only where no
# such byte precedes, so that a long run without a dot is passed over once.
_DOTTED = re.compile(rb"(?<![a-z0-9_-])[a-z0-9_-]++(?:\.[a-z0-9_-]++)++")

# In DER a name may stand between bytes that look like letters of it: its own
# length before it, and the headers of what follows behind it.
_BYTES_BEFORE, _BYTES_BEHIND = 1, 3


@dataclass(frozen=True, slots=True)
class WatchItem:
    """One thing watched; `text` is its canonical spelling.

    Either `network` is set, or `labels` holds the name from the right
    (`("com", "example")`) and `below` says whether everything below it counts.
    """

    text: str
    labels: tuple[str, ...] = ()
    below: bool = False
    network: IPv4Network | IPv6Network | None = None


def parse_watch_item(text: str) -> WatchItem:
    """Read one item as a person writes it; raises MalformedError saying what is wrong."""
    stripped = text.strip()
    if not stripped:
        raise MalformedError("watch item: empty")
    if stripped == ".":
        return WatchItem(".", below=True)
    network = _parse_network(stripped)
    if network is not None:
        shown = str(network.network_address) if network.num_addresses == 1 else str(network)
        return WatchItem(shown, network=network)
    below = stripped.startswith(".")
    if "*" in stripped:
        raise MalformedError(
            f"watch item {quoted(stripped)}: a wildcard is not a name to watch",
            hint="write '.example.com' for a name and everything below it",
        )
    try:
        name = normalise_name(stripped.removeprefix("."))
    except MalformedError as error:
        raise MalformedError(f"watch item {quoted(stripped)}: {error}") from error
    if _LIKE_AN_ADDRESS.fullmatch(name):
        # Written in digits of another script, perhaps.
        raise MalformedError(f"watch item {quoted(stripped)}: not a DNS name")
    return WatchItem("." * below + name, tuple(reversed(name.split("."))), below)


def _parse_network(text: str) -> IPv4Network | IPv6Network | None:
    if not _LIKE_AN_ADDRESS.fullmatch(text):
        return None
    try:
        return ip_network(text.strip("[]"), strict=True)
    except ValueError:
        raise MalformedError(
            f"watch item {quoted(text)}: not an IP address or range",
            hint="a range names its first address, as in 192.0.2.0/24",
        ) from None


def parse_watchlist(text: str) -> tuple[WatchItem, ...]:
    """Read a watch list file: one item a line, `#` begins a comment.

    Raises MalformedError naming the line.
    """
    items: list[WatchItem] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip()
        if not content:
            continue
        try:
            items.append(parse_watch_item(content))
        except MalformedError as error:
            raise MalformedError(f"line {number}: {error}", hint=error.hint) from error
    return tuple(items)


@dataclass(slots=True)
class _Node:
    """One label of the tree: what is watched exactly here, and from here down."""

    children: dict[str, _Node] = field(default_factory=dict)
    exact: list[WatchItem] = field(default_factory=list)
    below: list[WatchItem] = field(default_factory=list)


class Watchlist:
    """Every watched item, arranged so that a certificate meets only its own."""

    def __init__(self, items: Iterable[WatchItem]) -> None:
        self.items = tuple(dict.fromkeys(items))
        self._place = {item: place for place, item in enumerate(self.items)}
        self._root = _Node()
        # (IP version, prefix length) -> network address as an integer -> items
        self._networks: dict[tuple[int, int], dict[int, list[WatchItem]]] = {}
        for item in self.items:
            self._add(item)

    def _add(self, item: WatchItem) -> None:
        if item.network is not None:
            networks = self._networks.setdefault((item.network.version, item.network.prefixlen), {})
            networks.setdefault(int(item.network.network_address), []).append(item)
            return
        node = self._root
        for label in item.labels:
            node = node.children.setdefault(label, _Node())
        (node.below if item.below else node.exact).append(item)

    def match(self, identifiers: Identifiers) -> tuple[WatchItem, ...]:
        """Every item that these identifiers touch, in the order of the list.

        `.` is touched by any certificate, also by one without a name.
        """
        found = set(self._root.below)
        found.update(item for name in identifiers.dns for item in self._match_name(name))
        found.update(item for ip in identifiers.ips for item in self._match_ip(ip))
        return self._in_order(found)

    def match_name(self, name: str) -> tuple[WatchItem, ...]:
        """Every item that one DNS name, wildcard or damaged name touches."""
        return self._in_order(set(self._match_name(name)))

    def _in_order(self, found: set[WatchItem]) -> tuple[WatchItem, ...]:
        # What a match costs must not depend on how many others are watched.
        return tuple(sorted(found, key=self._place.__getitem__))

    def _match_name(self, name: str) -> Iterator[WatchItem]:
        nodes = [self._root]
        for label in reversed(name.split(".")):
            for node in nodes:
                yield from node.below
            nodes = [child for node in nodes for child in _children(node, label)]
            if not nodes:
                return
        for node in nodes:
            yield from node.exact
            yield from node.below

    def _match_ip(self, ip: IPv4Address | IPv6Address) -> Iterator[WatchItem]:
        number = int(ip)
        for (version, prefix), networks in self._networks.items():
            if version == ip.version:
                host_bits = ip.max_prefixlen - prefix
                yield from networks.get(number >> host_bits << host_bits, ())

    def mentioned(self, data: bytes) -> tuple[WatchItem, ...]:
        """Every item of two or more labels whose name stands in bytes of any meaning.

        One pass over the bytes, however many items there are. Bytes of value
        zero are also read as absent, which is how wide strings hold ASCII.
        """
        folded = data.lower()
        found: set[WatchItem] = set()
        for text in {folded, folded.replace(b"\x00", b"")}:
            for run in _DOTTED.finditer(text):
                labels = run[0].decode("ascii").split(".")
                for end in range(2, len(labels) + 1):
                    found.update(self._standing(labels, end))
                for _ in range(_BYTES_BEHIND):
                    labels[-1] = labels[-1][:-1]
                    found.update(self._standing(labels, len(labels)))
        return self._in_order(found)

    def _standing(self, labels: list[str], end: int) -> Iterator[WatchItem]:
        """The items whose last label is the one before `end`."""
        node = self._root
        for place in range(end - 1, -1, -1):
            label = labels[place]
            spellings = (label,) if place else (label, label[_BYTES_BEFORE:])
            children = [node.children[each] for each in spellings if each in node.children]
            if place < end - 1:
                yield from (item for each in children for item in (*each.exact, *each.below))
            if label not in node.children:
                return
            node = node.children[label]

    def byte_tree(self) -> ByteTree:
        """The tree in the form that the bulk scan walks."""
        return _byte_tree(self._root)

    @property
    def watches_everything(self) -> bool:
        """Whether `.` is on the list."""
        return bool(self._root.below)


def _children(node: _Node, label: str) -> Iterator[_Node]:
    if _INEXACT.isdisjoint(label):
        child = node.children.get(label)
        if child is not None:
            yield child
        return
    for watched, child in node.children.items():
        if label_matches(label, watched):
            yield child


# A label leads to a deeper tree, or to True where everything below is watched.
ByteTree = dict[bytes, "ByteTree | bool"]


def _byte_tree(node: _Node) -> ByteTree:
    return {
        label.encode("ascii"): True if child.below else _byte_tree(child)
        for label, child in node.children.items()
    }
