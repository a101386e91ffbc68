"""`python -m pinwarden`, and the `pinwarden` program."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; says what to install where its libraries are missing."""
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


if __name__ == "__main__":
    main()
