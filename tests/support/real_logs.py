"""What real logs served, read without Pinwarden: tiles, names, entries and chains."""

from __future__ import annotations

import json
import warnings
from base64 import b64decode
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509

from support.oracle import TileEntry, read_tile, tree_hash

NAVIGLI = "ct-logs/sunlight-navigli2025h2/tile"
GROWING = ("ct-logs/tesseract-client-log/log", "ct-logs/tessera-log")
RFC6962 = "ct-logs/rfc6962-json"


@dataclass(frozen=True, slots=True)
class NavigliEntry:
    """One entry of the Sunlight tiles, and its names as the names tile has them."""

    tile_entry: TileEntry
    names: frozenset[str]


def navigli_entries(corpus: Path) -> list[NavigliEntry]:
    """The 512 entries of the data tiles, beside the lines of the names tiles."""
    found: list[NavigliEntry] = []
    for number in ("000", "001"):
        entries = read_tile((corpus / NAVIGLI / "data" / number).read_bytes())
        lines = (corpus / NAVIGLI / "names" / number).read_text().splitlines()
        for entry, line in zip(entries, lines, strict=True):
            fields = json.loads(line)
            assert fields["Timestamp"] == int.from_bytes(entry.leaf[2:10], "big")
            subject = fields.get("Subject", {}).get("CommonName")
            names = {*fields["DNS"], *([subject] if subject else [])}
            found.append(NavigliEntry(entry, frozenset(names)))
    return found


def covers(name: str, host: str) -> bool:
    """Whether a certificate for `name` is one for `host` (RFC 6125 section 6.4)."""
    return name == host or (name[:2] == "*." and name[2:] == host.partition(".")[2])


def concerns(name: str, item: str) -> bool:
    """Whether a certificate for `name` concerns a watch item, spelled as the list has it."""
    host = item.removeprefix(".")
    return covers(name, host) or (item != host and name.endswith(item))


@dataclass(frozen=True, slots=True)
class GrowingHead:
    """One checkpoint of a log that was kept at every size."""

    raw: bytes
    size: int
    root: bytes


@dataclass(frozen=True)
class GrowingLog:
    """A complete small log of transparency.dev with all the checkpoints it ever had."""

    folder: Path

    @cached_property
    def entries(self) -> list[bytes]:
        """The entries, which are words and no certificates."""
        data = (self.folder / "tile/entries/000.p/15").read_bytes()
        found: list[bytes] = []
        while data:
            end = 2 + int.from_bytes(data[:2], "big")
            found.append(data[2:end])
            data = data[end:]
        return found

    @cached_property
    def heads(self) -> list[GrowingHead]:
        """The checkpoints, each root recomputed from the entries by the definition."""
        heads = []
        for size in range(16):
            raw = (self.folder / f"checkpoint.{size}").read_bytes()
            _, stated, root = raw.decode().split("\n")[:3]
            assert int(stated) == size
            assert b64decode(root) == tree_hash(self.entries[:size])
            heads.append(GrowingHead(raw, size, b64decode(root)))
        return heads


@dataclass(frozen=True, slots=True)
class Answered:
    """One entry as an RFC 6962 log answered, with the names of its certificate."""

    leaf: bytes
    extra: bytes
    names: frozenset[str]


def rfc6962_entries(corpus: Path) -> list[Answered]:
    """Every entry in the recorded answers to get-entries and get-entry-and-proof."""
    read: dict[str, str] = {}
    for name in ("ct_go_rfc6962_responses", "ct_go_get_entries_real"):
        read |= json.loads((corpus / RFC6962 / f"{name}.json").read_text())
    answers: list[dict[str, Any]] = [
        *json.loads(read["FourEntries"])["entries"],
        json.loads(read["GetEntryAndProofResp"]),
        *(
            {"leaf_input": read[f"{kind}EntryB64"], "extra_data": read[f"{kind}EntryExtraDataB64"]}
            for kind in ("Precert", "Cert")
        ),
    ]
    return [_answered(each) for each in answers]


def _answered(answer: dict[str, Any]) -> Answered:
    leaf, extra = b64decode(answer["leaf_input"]), b64decode(answer["extra_data"])
    # A precertificate comes first beside the leaf, a certificate stands in it.
    signed = extra if leaf[10:12] == b"\x00\x01" else leaf[12:]
    return Answered(leaf, extra, names_of(signed[3 : 3 + int.from_bytes(signed[:3], "big")]))


def names_of(der: bytes) -> frozenset[str]:
    """DNS names and commonNames of a certificate that cryptography accepts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        certificate = x509.load_der_x509_certificate(der)
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        names = {str(each.value) for each in common}
        try:
            kind = x509.SubjectAlternativeName
            alternative = certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return frozenset(names)
        return frozenset(names | set(alternative.get_values_for_type(x509.DNSName)))
