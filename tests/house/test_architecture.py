"""The floor plan of docs/architecture.md, held against the imports that the code really has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "pinwarden"
REPOSITORY = PACKAGE.parents[1]

_VALUES = {"errors", "names", "findings", "verdicts", "issuances"}
GROUND = _VALUES | {"headers", "x509", "ct", "caa", "pinning", "watch", "render"}
_CONFIG = {"config", "config_channels"}

# A room is a module or a folder right under the package; each may use itself, the version in the
# package's own file, and these.
MAY_USE: dict[str, set[str]] = {
    "errors": set(),
    "names": {"errors"},
    "findings": {"errors"},
    "verdicts": set(),
    "issuances": set(),
    "headers": _VALUES,
    "x509": _VALUES,
    "ct": _VALUES | {"x509"},
    "caa": _VALUES | {"x509"},
    "pinning": _VALUES | {"x509", "headers"},
    "watch": GROUND - {"render"},
    "render": _VALUES | {"watch", "caa", "pinning", "ct", "headers"},
    "config_channels": GROUND,
    "config": GROUND | _CONFIG,
    "net": GROUND | {"config_channels"},
    "store": GROUND,
    "monitor": GROUND | _CONFIG | {"net", "store"},
    "audit": GROUND | _CONFIG | {"net", "store"},
    "web": _VALUES | {"watch", "render", "store"},
    "clients": _VALUES | {"x509", "pinning"},
    "lab": GROUND,
    "cli": GROUND | _CONFIG | {"net", "store", "monitor", "audit", "web", "clients", "lab"},
    "__main__": {"cli", "errors"},
}
# Services meet the adapters as protocols and rows; whoever wires them hands the instances in.
ADAPTERS_SEEN_BY_SERVICES = {
    *("net.logs", "net.channels.contract", "net.dns.contract", "store.contract"),
    *("net.endpoint", "net.served"),
}

# Every decision on the ground floor must be replayable from bytes and a time.
IMPURE_MODULES = {
    *("aiohttp", "asyncio", "http", "logging", "multiprocessing", "os", "pathlib", "random"),
    *("secrets", "select", "shutil", "signal", "socket", "sqlalchemy", "sqlite3", "ssl"),
    *("subprocess", "sys", "tempfile", "threading", "time", "uuid"),
}
# docs/decisions/0007-pin-set-files.md
READS_A_FILE = "pinning.files"
IMPURE_CALLS = {"open", "print", "input"}
CLOCKS = {"now", "utcnow", "today"}

VAGUE_NAMES = {"base", "common", "helpers", "manager", "managers", "misc", "util", "utils"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def _name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def _room_of(module: str) -> str:
    return module.partition(".")[0]


def _used(tree: ast.AST) -> Iterator[str]:
    """The names of our own modules that a file uses, wherever in the file it says so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            named = [f"{node.module}.{each.name}" for each in node.names]
        else:
            continue
        for name in named:
            top, _, rest = name.partition(".")
            if top == "pinwarden":
                yield rest if rest in MODULES else rest.rpartition(".")[0]


def _trees() -> dict[str, ast.Module]:
    return {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


TREES = _trees()


def test_every_room_is_on_the_plan() -> None:
    """A new module or folder right under the package must be given its floor here."""
    assert {_room_of(name) for name in MODULES if name} <= MAY_USE.keys()


def test_imports_go_down() -> None:
    """No room imports a room above it or beside it."""
    wrong = [
        f"{module} imports {used or 'pinwarden'}"
        for module, tree in TREES.items()
        for used in set(_used(tree))
        if used
        and _room_of(used) != _room_of(module)
        and _room_of(used) not in MAY_USE.get(_room_of(module), set())
    ]
    assert wrong == []


def test_the_package_itself_imports_nothing() -> None:
    """`import pinwarden` costs nothing, since every other import pays for it."""
    imports = [n for n in ast.walk(TREES[""]) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert imports == []


def test_services_see_adapters_as_protocols() -> None:
    """Monitor and audit take adapters handed to them and never open one."""
    wrong = [
        f"{module} imports {used}"
        for module, tree in TREES.items()
        if _room_of(module) in {"monitor", "audit"}
        for used in set(_used(tree))
        if _room_of(used) in {"net", "store"} and used not in ADAPTERS_SEEN_BY_SERVICES
    ]
    assert wrong == []


def test_only_the_demo_enters_the_lab() -> None:
    """The lab stands beside the house: of the product, only `pinwarden demo` uses it."""
    visitors = {
        module
        for module, tree in TREES.items()
        if _room_of(module) != "lab" and any(_room_of(used) == "lab" for used in _used(tree))
    }
    assert {each for each in visitors if not each.startswith("cli.demo")} == set()


def test_no_modules_import_each_other() -> None:
    """No circle of imports, not even one hidden inside functions or type checking."""
    graph = {module: set(_used(tree)) - {module, ""} for module, tree in TREES.items() if module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def _impurities(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (n.name for n in node.names if _room_of(n.name) in IMPURE_MODULES)
        elif isinstance(node, ast.ImportFrom) and _room_of(node.module or "") in IMPURE_MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in IMPURE_CALLS:
                yield f"{called.id}()"
            elif isinstance(called, ast.Attribute) and called.attr in CLOCKS:
                yield f".{called.attr}()"


def test_the_ground_floor_is_pure() -> None:
    """Ground modules do no I/O, log nothing and read neither clock nor randomness."""
    wrong = [
        f"{module} uses {impurity}"
        for module, tree in TREES.items()
        if _room_of(module) in GROUND and module != READS_A_FILE
        for impurity in _impurities(tree)
    ]
    assert wrong == []


def test_names_say_what_lives_there() -> None:
    """No module is named after nothing in particular."""
    vague = [name for name in MODULES if VAGUE_NAMES & set(name.split("."))]
    assert vague == []


def _our_files() -> Iterator[Path]:
    for folder in ("src", "tests", "scripts", "benchmarks", "fuzz"):
        yield from (REPOSITORY / folder).rglob("*.py")


def test_rooms_are_small() -> None:
    """A file of more than 400 lines is two files that have not been told apart yet."""
    lengths = {path: len(path.read_text().splitlines()) for path in _our_files()}
    long = [
        f"{path.relative_to(REPOSITORY)}: {lines} lines"
        for path, lines in lengths.items()
        if lines > LONGEST_FILE
    ]
    assert long == []


def test_functions_are_short() -> None:
    """A function of more than 60 lines hides its own steps."""
    long = [
        f"{module}.{node.name}: {length} lines"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_the_plan_is_drawn_as_built() -> None:
    """docs/architecture.md shows every room, and no file that is not there."""
    plan = (REPOSITORY / "docs" / "architecture.md").read_text()
    rooms = {_room_of(name) for name in MODULES if name and not name.startswith("__")}
    assert {room for room in rooms if f"{room}/" not in plan and f"`{room}`" not in plan} == set()
    files = {path.name for path in (*PACKAGE.rglob("*.py"), *Path(__file__).parent.glob("*.py"))}
    drawn = {word.rpartition("/")[2] for word in re.findall(r"[\w/]+\.py\b", plan)}
    assert drawn - files == set()
