"""What stands in the repository: nothing of the machines that it was made on, and no loose ends."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Put together from halves, so that this file does not find itself.
_HOSTS = (
    ("py", "pi.org"),
    ("python", "hosted"),
    ("registry.np", "mjs"),
    ("proxy.go", "lang"),
    ("sum.go", "lang"),
    ("crat", "es.io"),
    ("deb.deb", "ian"),
    ("security.deb", "ian"),
    ("repo.mav", "en"),
    ("repo1.mav", "en"),
)
_FOLDERS = ("wo" + "rk", "ro" + "ot", "fa" + "rm")
FOREIGN = re.compile(
    "|".join(re.escape(first + second) for first, second in _HOSTS)
    + "|(?<![A-Za-z0-9_.-])/(?:"
    + "|".join(_FOLDERS)
    + ")/"
)


def _files() -> list[Path]:
    """Every file that is in the repository, or would be with `git add .`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so what belongs to the repository is not known")
    named = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in named if path.is_file()]


def test_nothing_of_a_machine_or_a_registry_is_named() -> None:
    """No file names a package registry's host or a folder of the machine it was written on."""
    found = []
    for path in _files():
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if FOREIGN.search(line.decode("utf-8", "replace")):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}")
    assert found == []


@pytest.mark.parametrize("name", ["dev", "docs", "peers"])
def test_locks_pin_by_hash_and_without_addresses(name: str) -> None:
    """Every line of a lock is one exact version with its hashes, from wherever pip looks."""
    text = (REPOSITORY / "requirements" / f"{name}.lock").read_text()
    assert "://" not in text
    entry = r"[a-z0-9-]+==[^\s;@/]+( ; [^@]+?)?( --hash=sha256:[0-9a-f]{64})+"
    uncommented = re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)
    lines = uncommented.replace("\\\n", "").splitlines()
    loose = [line for line in lines if not re.fullmatch(entry, " ".join(line.split()))]
    assert loose == []


def test_the_lock_covers_every_dependency() -> None:
    """What pyproject.toml asks for is pinned, so that `make dev` installs nothing by chance."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    asked = [*project["project"]["dependencies"], *(each for extra in extras for each in extra)]
    asked += [*project["dependency-groups"]["dev"], *project["build-system"]["requires"]]
    names = {re.split(r"[\s\[<>=!~;]", each)[0].lower() for each in asked} - {"pinwarden"}
    lock = (REPOSITORY / "requirements" / "dev.lock").read_text()
    assert names <= set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))


def test_the_readme_is_short() -> None:
    """README.md says what it does and how to begin; the rest is in docs/."""
    assert len((REPOSITORY / "README.md").read_text().splitlines()) < 150


def test_every_make_word_is_explained() -> None:
    """Each word of the Makefile is in its own help, and in CONTRIBUTING.md."""
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony is not None
    words = set(phony[1].split())
    assert set(re.findall(r"^([a-z]+):.* ## \S", makefile, flags=re.MULTILINE)) == words
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text()
    assert [word for word in sorted(words) if f"`make {word}`" not in contributing] == []


def test_scripts_can_be_run() -> None:
    """Shell scripts are executable and parse."""
    scripts = [REPOSITORY / ".ci" / "run", *sorted((REPOSITORY / "scripts").glob("*.sh"))]
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []
    for path in scripts:
        subprocess.run(["bash", "-n", path], check=True)


def test_links_lead_somewhere() -> None:
    """A relative link in a document leads to a file of the repository."""
    documents = [path for path in _files() if path.suffix == ".md"]
    dead = [
        f"{path.relative_to(REPOSITORY)} -> {target}"
        for path in documents
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()
    ]
    assert dead == []
