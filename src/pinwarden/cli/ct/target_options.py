"""The options by which the commands of `ct` find a certificate and its SCTs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from pinwarden.cli.asking_hosts import Asking, asking_from, asking_options

__all__ = ["TargetOptions", "target_options", "target_options_from"]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """How targets are found, as the command line says it; the files are not read yet."""

    asking: Asking
    issuer_file: str | None = None
    sct_list_file: str | None = None
    ocsp_file: str | None = None


def target_options(command: _F) -> _F:
    """Adds --issuer, --sct-list and --ocsp, and the options of asking."""
    for option in reversed(
        (
            click.option(
                "--issuer",
                "issuer_file",
                metavar="FILE",
                help="Where the issuer's certificate is, if the chain lacks it.",
            ),
            click.option(
                "--sct-list",
                "sct_list_file",
                metavar="FILE",
                help="SCTs as in the TLS extension, for a certificate in a file.",
            ),
            click.option(
                "--ocsp",
                "ocsp_file",
                metavar="FILE",
                help="An OCSP response in DER, for a certificate in a file.",
            ),
        )
    ):
        command = option(command)
    return asking_options(command)


def target_options_from(options: dict[str, Any]) -> TargetOptions:
    """Takes what `target_options` added out of a command's options; raises `ConfigError`."""
    return TargetOptions(
        asking=asking_from(options),
        issuer_file=options.pop("issuer_file"),
        sct_list_file=options.pop("sct_list_file"),
        ocsp_file=options.pop("ocsp_file"),
    )
