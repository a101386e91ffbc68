"""The recipes of docs/pinning-clients.md run as they stand, and keep their promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.http_origin import http_origin
from support.pin_world import HOST, pin_set, world

PAGE = (Path(__file__).parents[2] / "docs" / "pinning-clients.md").read_text("utf-8")
URL = "https://api.example.com"
RECIPES = [each for each in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if URL in each]


def title(recipe: str) -> str:
    """The heading under which a recipe stands."""
    return re.findall(r"^## (.*)$", PAGE[: PAGE.index(recipe)], re.MULTILINE)[-1]


def run(recipe: str, port: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """A recipe, for our host, on a system that trusts the two authorities."""
    pins = pin_set("good").to_toml()
    (folder / "pins.toml").write_text(pins, encoding="utf-8")
    (folder / "recipe.py").write_text(recipe.replace(URL, f"https://{HOST}:{port}"), "utf-8")
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    own = {
        "SSL_CERT_FILE": world().cafile,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    return subprocess.run(
        [sys.executable, "recipe.py"],
        cwd=folder,
        env=kept | own,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_recipes_are_found() -> None:
    """Nothing is tested if none is."""
    assert len(RECIPES) >= 9


@pytest.mark.parametrize("recipe", RECIPES, ids=title)
def test_a_recipe_works_and_keeps_the_pins(recipe: str, tmp_path: Path) -> None:
    """The genuine server answers; the rogue one is told nothing."""
    with http_origin(world().chains["genuine"]) as server:
        ran = run(recipe, server.port, tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert server.drained() > 0
    with http_origin(world().chains["rogue"]) as server:
        ran = run(recipe, server.port, tmp_path)
        assert ran.returncode != 0
        assert "no pinned key is in the verified chain" in ran.stderr
        assert server.visits
        assert server.drained() == 0
