"""Where the foreign programs are that we measure ourselves beside."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_BIN = Path(__file__).parents[1] / ".peers" / "bin"


def find_program(name: str) -> str | None:
    """The one that `make peers` installed, else the system's, else None."""
    return shutil.which(name, path=os.pathsep.join([str(_BIN), os.environ["PATH"], "/usr/sbin"]))
