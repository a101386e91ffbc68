"""`python -m pinwarden`, and the `pinwarden` program."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run the command line; says what to install where its libraries are missing."""
    _settle_streams()
    try:
        from pinwarden.cli.main import run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pinwarden"):
            raise
        sys.stderr.write(
            f"pinwarden: error: the command line needs the package {error.name!r}\n"
            "pinwarden: hint: pip install 'pinwarden[monitor]'\n"
        )
        raise SystemExit(2) from None
    raise SystemExit(run(sys.argv[1:]))


def _settle_streams() -> None:
    """Have all three streams, and none that fails at a character its encoding lacks."""
    for name in ("stdin", "stdout", "stderr"):
        # Closed by whoever started us: its number must not go to the next file or connection.
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
