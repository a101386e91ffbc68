"""Where the bundles of `pinwarden ct prove` go: settled before any log is asked."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pinwarden import __version__
from pinwarden.audit.proof_findings import evidence_of_proofs
from pinwarden.cli.ct.prove_view import ProvenTarget
from pinwarden.cli.ct.targets import TargetCertificate
from pinwarden.cli.output import answer
from pinwarden.cli.pin.writing import write_file
from pinwarden.errors import ConfigError, MalformedError, quoted

__all__ = ["Bundles"]

_PROGRAM = f"Pinwarden {__version__}"
_STDOUT = Path("-")


class Bundles:
    """The place that was named for bundles: a file, a directory, `-` for stdout, or none.

    Raises `ConfigError` for a place that will not do for these targets.
    """

    def __init__(
        self, output: Path | None, targets: Sequence[TargetCertificate], *, force: bool
    ) -> None:
        self.on_stdout = output == _STDOUT
        self._force = force
        self._files: list[Path | None] = [None] * len(targets)
        if output is None:
            return
        kept = [at for at, each in enumerate(targets) if _has_evidence(each)]
        if output.is_dir():
            self._name_each(output, targets, kept)
        elif len(kept) > 1:
            raise ConfigError(
                f"--output {quoted(str(output))}: there are {len(kept)} certificates",
                hint="name a directory that exists, for a bundle of each",
            )
        else:
            for at in kept:
                self._files[at] = output
        if not self.on_stdout:
            for file in self._files:
                _verify_place(file, force=force)

    def _name_each(
        self, folder: Path, targets: Sequence[TargetCertificate], kept: Sequence[int]
    ) -> None:
        """A file for each; what one host hands over in two ways has two."""
        taken: set[Path] = set()
        for at in kept:
            certificate = targets[at].certificate
            fingerprint = (certificate and certificate.fingerprint) or b""
            name = f"{_file_name(targets[at].target)}-{fingerprint.hex()[:16]}"
            file, number = folder / f"{name}.json", 1
            while file in taken:
                number += 1
                file = folder / f"{name}-{number}.json"
            taken.add(file)
            self._files[at] = file

    def keep(self, number: int, shown: ProvenTarget) -> ProvenTarget:
        """Write the bundle of a target, and say where; raises `ConfigError`."""
        target, file = shown.target, self._files[number]
        certificate = target.certificate
        if file is None or certificate is None or not shown.proofs:
            return shown
        try:
            text = evidence_of_proofs(
                target.target,
                certificate,
                target.issuer,
                target.chain,
                shown.proofs,
                at=shown.at,
                by=_PROGRAM,
            ).to_json()
        except MalformedError as error:
            notes = (*target.notes, f"no bundle was written: {error}")
            return replace(shown, target=replace(target, notes=notes))
        if self.on_stdout:
            answer(text.decode("ascii"))
        else:
            write_file(file, text.decode("ascii"), force=self._force)
        return replace(shown, bundle=str(file))


def _has_evidence(target: TargetCertificate) -> bool:
    certificate = target.certificate
    return certificate is not None and certificate.der is not None and bool(target.presented)


def _verify_place(file: Path | None, *, force: bool) -> None:
    """Raises `ConfigError` for a file that is in the way, or that cannot be made."""
    if file is None:
        return
    shown = f"file {quoted(str(file))}"
    if (file.exists() or file.is_symlink()) and not force:
        raise ConfigError(f"{shown}: is there already", hint="--force overwrites it")
    if not file.parent.is_dir():
        raise ConfigError(f"{shown}: its directory does not exist")
    if not os.access(file.parent, os.W_OK):
        raise ConfigError(f"{shown}: its directory cannot be written")


def _file_name(target: str) -> str:
    """A target as part of a file's name: it may be a URL, or a path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", target).strip("._-")[-80:] or "certificate"
