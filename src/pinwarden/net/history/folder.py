"""A folder of certificates in PEM or DER: what an ACME client or an archive keeps.

CA certificates in it are no issuances for names, but tell the keys above those that are.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pinwarden.ct.issuer import issuer_among
from pinwarden.errors import MalformedError, OutsideError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.names import UNREADABLE_LABEL
from pinwarden.net.history.contract import concerns, is_wanted
from pinwarden.net.history.octets import issuance_from, with_chain
from pinwarden.pinning.pem import PEM_BEGIN, pem_blocks
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["FolderSource", "authorities_in"]

_LARGEST_FILE = 16 << 20
_MOST_FILES = 100_000
_LONGEST_CHAIN = 8
_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
# Other files of an archive stay unread: keys above all.
_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".cert"})


class FolderSource:
    """Every certificate in the files of a folder, and of the folders in it.

    Read are files ending in .pem, .crt, .cer, .cert and .der.
    """

    def __init__(self, folder: Path) -> None:
        self.description = f"folder {quoted(str(folder))}"
        self.notes: list[str] = []
        self._folder = folder
        self._read: tuple[list[PastIssuance], list[str]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._read = None

    async def search(
        self, name: str, *, below: bool, since: datetime | None, expired: bool, at: datetime
    ) -> AsyncIterator[PastIssuance]:
        """Every certificate of the folder for a name; see `HistorySource`."""
        if self._read is None:
            self._read = await asyncio.to_thread(self._read_all)
        issuances, problems = self._read
        for each in issuances:
            unreadable = UNREADABLE_LABEL in each.names or bool(each.problems)
            if (unreadable or concerns(each.names, name, below=below)) and is_wanted(
                each, since=since, expired=expired, at=at
            ):
                yield each
        if problems:
            more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
            raise OutsideError(f"{self.description}: {problems[0]}{more}", target=self.description)

    def _read_all(self) -> tuple[list[PastIssuance], list[str]]:
        """Every issuance, and what could not be read."""
        views: list[tuple[CertificateView, str]] = []
        problems: list[str] = []
        for path in _files(self._folder, problems):
            shown = str(path.relative_to(self._folder))
            try:
                views += [(view, shown) for view in _certificates(path)]
            except (OSError, MalformedError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                problems.append(f"file {quoted(shown)}: {reason}")
        if not views and not problems:
            # The wrong folder, most likely: that is no history of nothing.
            problems.append("has no certificate in a file ending in .pem, .crt, .cer or .der")
        authorities = _Authorities(view for view, _ in views)
        issuances = []
        for view, shown in views:
            if authorities.is_one(view):
                continue
            try:
                found = issuance_from(view, source="folder", reference=shown)
                issuances.append(with_chain(found, authorities.above(view)))
            except MalformedError as error:
                problems.append(f"file {quoted(shown)}: {error}")
        return issuances, problems


def authorities_in(folder: Path) -> Iterator[bytes]:
    """The CA certificates of a folder, in DER.

    What cannot be read is left out here: `FolderSource` tells of it.
    """
    for path in _files(folder, []):
        try:
            views = _certificates(path)
        except (OSError, MalformedError):
            continue
        yield from (view.der for view in views if view.der and _Authorities.is_one(view))


def _files(folder: Path, problems: list[str]) -> list[Path]:
    """The files to read; a folder that may not be looked into is a problem."""

    def refuse(error: OSError) -> None:
        problems.append(f"folder {quoted(str(error.filename))}: {error.strerror}")

    found: list[Path] = []
    for here, below, files in os.walk(folder, onerror=refuse):
        below.sort()
        paths = (Path(here, name) for name in sorted(files))
        found += [path for path in paths if path.suffix.lower() in _SUFFIXES and path.is_file()]
        if len(found) > _MOST_FILES:
            problems.append(f"has more than {_MOST_FILES} files")
            break
    return found


def _certificates(path: Path) -> list[CertificateView]:
    with path.open("rb") as file:
        data = file.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise MalformedError(f"is larger than {_LARGEST_FILE >> 20} MiB")
    if PEM_BEGIN not in data:
        return [view_certificate(data)]
    return [view_certificate(each.data) for each in pem_blocks(data) if each.label in _LABELS]


class _Authorities:
    """The CA certificates among what was read, by the name they issue under."""

    def __init__(self, views: Iterator[CertificateView]) -> None:
        self._by_name: dict[bytes, dict[bytes, CertificateView]] = {}
        for view in views:
            if self.is_one(view):
                self._by_name.setdefault(view.subject, {})[view.tbs] = view

    @staticmethod
    def is_one(view: CertificateView) -> bool:
        try:
            return view.is_ca
        except MalformedError:
            return False

    def above(self, view: CertificateView) -> list[CertificateView]:
        """The chain of a certificate as far as it is here, each signature verified."""
        chain: list[CertificateView] = []
        while len(chain) < _LONGEST_CHAIN and not view.is_self_issued:
            issuer = issuer_among(view, self._by_name.get(view.issuer, {}).values())
            if issuer is None:
                break
            chain.append(issuer)
            view = issuer
        return chain
