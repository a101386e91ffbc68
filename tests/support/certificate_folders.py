"""Certificates as an ACME client keeps them: a chain a file, in PEM."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence
from pathlib import Path


def write_chain(folder: Path, name: str, chain: Sequence[bytes]) -> None:
    """One file with a chain, the leaf first; the folder is made if it is not there."""
    folder.mkdir(exist_ok=True)
    blocks = (
        f"-----BEGIN CERTIFICATE-----\n{encodebytes(each).decode()}-----END CERTIFICATE-----\n"
        for each in chain
    )
    (folder / f"{name}.pem").write_text("".join(blocks))
