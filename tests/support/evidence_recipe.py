"""The recipe of docs/evidence.md, by which a third party checks a bundle without Pinwarden."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"


def checked_by_recipe(bundle: bytes, number: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a shell says of one SCT of a bundle; skips where the recipe's programs are not."""
    for each in ("sh", "jq", "openssl", "sha256sum"):
        if shutil.which(each) is None:
            pytest.skip(f"{each} is not here, which the recipe needs")
    (folder / "bundle.json").write_bytes(bundle)
    recipe = _PAGE.read_text("utf-8").split("```sh\n")[1].split("```")[0]
    assert ".scts[0]" in recipe
    return subprocess.run(
        ["sh", "-c", recipe.replace(".scts[0]", f".scts[{number}]")],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
