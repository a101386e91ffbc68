"""What `coverage()` names, in processes of their own: it looks at all that is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pinwarden.clients.inventory.beyond import BEYOND
from pinwarden.clients.inventory.rows import Reach
from pinwarden.clients.inventory.search import covered_clients, distributions, find_gaps
from pinwarden.clients.inventory.with_context import REACHED, STANDARD

_TELL = """
import json
from pinwarden.clients import coverage
print(json.dumps([[gap.client, gap.in_use] for gap in coverage()]))
"""


def gaps_after(code: str, *path: str) -> dict[str, bool]:
    """The gaps of a fresh process that has run `code`: client -> whether in use."""
    ran = subprocess.run(
        [sys.executable, "-c", code + _TELL],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": ":".join(path)},
    )
    return dict(json.loads(ran.stdout))


def site_packages(folder: Path, **versions: str) -> dict[str, str]:
    """A folder of installed packages, made as pip leaves it; what is found in it."""
    for name, version in versions.items():
        made = folder / f"{name}-{version}.dist-info"
        made.mkdir()
        made.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
    return distributions([str(folder)])


def test_installed_clients_are_named_with_their_versions(tmp_path: Path) -> None:
    present = site_packages(
        tmp_path, aioquic="1.2", pycurl="7.45", Twisted="24.1", requests="2.34", left_pad="1.0"
    )
    gaps = {gap.client: gap for gap in find_gaps(present=present)}
    # What this process has loaded is in it too.
    assert {"aioquic", "pycurl", "Twisted"} <= gaps.keys()
    assert "requests" not in gaps
    assert gaps["aioquic"].version == "1.2"
    assert not gaps["aioquic"].in_use
    assert "QUIC" in gaps["aioquic"].why
    assert "pin export" in gaps["pycurl"].what_to_do
    covered = {each.client: each for each in covered_clients(present=present)}
    assert covered["requests"].version == "2.34"
    assert covered["http.client"].proven


@pytest.mark.parametrize("name", ["curl-cffi", "curl_cffi", "Curl.CFFI"])
def test_names_of_distributions_are_normalised(tmp_path: Path, name: str) -> None:
    present = site_packages(tmp_path, **{name: "0.17"})
    assert "curl_cffi" in {gap.client for gap in find_gaps(present=present)}


def test_broken_metadata_hides_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "broken-1.dist-info").mkdir()
    (tmp_path / "binary-1.dist-info").mkdir()
    (tmp_path / "binary-1.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "file-1.dist-info").write_text("")
    present = site_packages(tmp_path, qh3="1.5")
    assert "qh3" in {gap.client for gap in find_gaps(present=present)}


def test_a_client_that_makes_its_own_context_needs_install(tmp_path: Path) -> None:
    present = site_packages(tmp_path, ldap3="2.9")
    assert "ldap3" in {gap.client for gap in find_gaps(under_install=False, present=present)}
    assert "ldap3" not in {gap.client for gap in find_gaps(under_install=True, present=present)}
    how = {each.client: each.how for each in covered_clients(present=present)}
    assert "install" in how["ldap3"]


def test_a_client_that_is_loaded_is_in_use_and_first() -> None:
    gaps = gaps_after("import grpc")
    assert gaps["grpcio"]
    assert not gaps["psycopg"]
    assert next(iter(gaps)) == "grpcio"


def test_a_client_without_metadata_is_found_by_its_module(tmp_path: Path) -> None:
    """As in a program that was packed into one file."""
    (tmp_path / "aioquic.py").write_text("")
    assert gaps_after("import aioquic", str(tmp_path))["aioquic"]


def test_injected_pyopenssl_is_named() -> None:
    assert not any("urllib3" in name for name in gaps_after("import urllib3"))
    inject = "from urllib3.contrib import pyopenssl\npyopenssl.inject_into_urllib3()\n"
    gaps = gaps_after(inject)
    assert gaps["urllib3 with pyOpenSSL"]
    assert gaps["pyOpenSSL"]
    out = gaps_after(inject + "pyopenssl.extract_from_urllib3()")
    assert "urllib3 with pyOpenSSL" not in out


def test_pymongo_that_prefers_pyopenssl_is_named(tmp_path: Path) -> None:
    package = tmp_path / "pymongo"
    package.mkdir()
    (package / "__init__.py").write_text('version = "4.20"\n')
    (package / "pyopenssl_context.py").write_text("")
    assert "pymongo with pyOpenSSL" not in gaps_after("import pymongo", str(tmp_path))
    gaps = gaps_after("import pymongo.pyopenssl_context", str(tmp_path))
    assert gaps["pymongo with pyOpenSSL"]


def test_urllib3_future_in_the_place_of_urllib3_is_named(tmp_path: Path) -> None:
    (tmp_path / "urllib3.py").write_text('__version__ = "2.13.906"\n')
    assert gaps_after("import urllib3", str(tmp_path))["urllib3-future as urllib3"]


@pytest.mark.parametrize("name", ["gevent", "eventlet"])
def test_patched_ssl_is_named(tmp_path: Path, name: str) -> None:
    """Both put a subclass of their own over `ssl.SSLContext`."""
    (tmp_path / f"{name}.py").write_text(
        "import ssl\nclass SSLContext(ssl.SSLContext): pass\nssl.SSLContext = SSLContext\n"
    )
    assert gaps_after(f"import {name}", str(tmp_path))[f"{name} in ssl"]
    assert f"{name} in ssl" not in gaps_after("")


def test_coverage_knows_whether_pins_are_installed(tmp_path: Path) -> None:
    site_packages(tmp_path, ldap3="2.9")
    install = (
        "from pinwarden.clients.install import install\nfrom pinwarden.pinning import PinSet\n"
    )
    assert "ldap3" in gaps_after("", str(tmp_path))
    assert "ldap3" not in gaps_after(install + "install(PinSet())\n", str(tmp_path))
    undone = install + "install(PinSet()).uninstall()\n"
    assert "ldap3" in gaps_after(undone, str(tmp_path))


def test_the_tables_contradict_nothing() -> None:
    """Every client once, with words; those beyond say why, those reached do not need to."""
    rows = (*STANDARD, *REACHED, *BEYOND)
    names = [row.name.lower() for row in rows]
    assert len(names) == len(set(names))
    places = [name for row in rows for name in row.distributions]
    assert len(places) == len(set(places))
    assert all(row.how and row.modules for row in rows)
    assert all(row.why for row in BEYOND)
    assert {row.reach for row in STANDARD} == {Reach.CONTEXT}
    assert {row.reach for row in BEYOND} == {Reach.ANCHOR, Reach.NONE}


def test_what_is_proven_has_a_row_in_the_matrix_or_a_test() -> None:
    """`proven` is not a word: the client's name stands in the tests that run it."""
    tests = Path(__file__).parents[1]
    text = "\n".join(
        path.read_text("utf-8") for path in tests.rglob("*.py") if path.parent.name != "inventory"
    )
    for row in (*STANDARD, *REACHED, *BEYOND):
        if row.proven:
            assert any(module.partition(".")[0] in text for module in row.modules), row.name


@pytest.mark.parametrize("module", ["pinwarden.clients", "pinwarden.clients.inventory.search"])
def test_asking_for_coverage_is_light(module: str) -> None:
    """Importing it reads no metadata and loads no client, nor the rows of them before it asks."""
    heavy = {"importlib.metadata", "email", "asyncio", "urllib3", "cryptography"}
    if module == "pinwarden.clients":
        heavy.add("pinwarden.clients.inventory.search")
    code = f"import {module}, sys; print({heavy!r} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.strip() == "set()"
