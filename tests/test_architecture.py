"""The arrows of docs/architecture.md: who may import whom. Imports inside functions count as well."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fedkit"

#: Layers, lowest first: a module imports from its own layer or a lower one, never from a higher one.
LAYERS = (
    ("errors", "digests", "storage"),
    ("notes", "governance", "ledger", "environment", "warehouse"),
    ("ner", "audit"),
    ("federation",),
    ("templates", "results"),
    ("sites", "config"),
    ("study", "stewardship", "refusals"),
    ("demo", "doctor", "widgets"),
    ("cli",),
)

#: Beyond the layers: package → what it may use of fedkit. What is not named here may use all of its layer and below.
ONLY = {
    "errors": set(),
    "digests": {"errors"},
    "storage": {"errors"},
    "notes": {"errors", "digests", "storage"},
    "governance": {"errors", "digests"},
    "ledger": {"errors", "digests", "storage", "governance"},
    "audit": {"errors", "digests", "storage", "governance", "ledger"},
    "ner": {"errors", "digests", "notes", "governance", "federation.parameters"},
    "doctor": {"errors", "sites.confinement", "sites.launch"},
}

NETWORK = {"socket", "ssl", "http", "urllib", "requests", "httpx", "aiohttp", "uvicorn", "fastapi", "websockets", "ftplib"}
TORCH = {"torch", "transformers", "safetensors", "evaluate", "seqeval", "datasets"}
PYSYFT = {"syft"}
CHAIN = {"eth", "web3", "eth_account", "eth_keys", "coincurve"}

#: Packages that never import these, not even inside a function.
NEVER = {
    "errors": NETWORK | TORCH | PYSYFT | CHAIN | {"duckdb", "numpy"},
    "digests": NETWORK | TORCH | PYSYFT | CHAIN | {"duckdb", "numpy"},
    "notes": NETWORK | TORCH | PYSYFT | CHAIN,
    "governance": NETWORK | TORCH | PYSYFT | {"eth", "web3"},
    "audit": TORCH | PYSYFT | {"duckdb"},
    "ledger": TORCH | PYSYFT | {"duckdb"},
    "ner": NETWORK | PYSYFT | CHAIN,
    "federation": NETWORK | PYSYFT | CHAIN,
    "widgets": PYSYFT,
    "cli": PYSYFT,
}


@cache
def modules() -> dict[str, Path]:
    """Dotted name below fedkit → file, for every module."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(path: Path, *, typing_too: bool = False) -> frozenset[str]:
    """Absolute dotted names that a file imports anywhere in it; not under `if TYPE_CHECKING` unless asked."""
    tree = ast.parse(path.read_text("utf-8"))
    names: set[str] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and not typing_too and "TYPE_CHECKING" in ast.unparse(node.test):
            todo.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: imports here are absolute, so that they can be read"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        todo.extend(ast.iter_child_nodes(node))
    return frozenset(names)


def top(module: str) -> str:
    return module.partition(".")[0]


def ours(path: Path, *, typing_too: bool = False) -> set[str]:
    """What a file imports of fedkit, without the leading name; the root package itself is ""."""
    return {n.partition(".")[2] for n in imports(path, typing_too=typing_too) if n == "fedkit" or n.startswith("fedkit.")}


NAMES = [name for name in modules() if name]


def layer_of(module: str) -> int:
    for number, members in enumerate(LAYERS):
        if top(module) in members or module in members:
            return number
    raise AssertionError(f"fedkit/{top(module)} stands in no layer of tests/test_architecture.py: decide where it belongs")


@pytest.mark.parametrize("module", NAMES)
def test_arrows_point_down(module: str) -> None:
    for used in ours(modules()[module], typing_too=True):
        if used in ("", "__version__"):
            continue
        if top(module) == "ner" and used.startswith("federation.parameters"):
            continue  # named arrays are plain data; the rest of federation stands above ner
        assert layer_of(used) <= layer_of(module), f"fedkit.{module} reaches up to fedkit.{used}"


@pytest.mark.parametrize("module", [name for name in NAMES if top(name) in ONLY])
def test_low_packages_use_only_what_they_may(module: str) -> None:
    allowed = ONLY[top(module)] | {top(module)}
    for used in ours(modules()[module], typing_too=True) - {"", "__version__"}:
        assert any(used == a or used.startswith(a + ".") for a in allowed), f"fedkit.{module} may not use fedkit.{used}"


@pytest.mark.parametrize("module", [name for name in NAMES if top(name) in NEVER])
def test_packages_never_import_what_is_not_theirs(module: str) -> None:
    found = {top(name) for name in imports(modules()[module])} & NEVER[top(module)]
    assert not found, f"fedkit.{module} imports {', '.join(sorted(found))}"


@pytest.mark.parametrize("module", NAMES)
def test_nothing_imports_the_views(module: str) -> None:
    """Widgets and commands are for people: code that needs one of them has its logic in the wrong place."""
    for view in ("widgets", "cli"):
        if top(module) != view:
            used = {name for name in ours(modules()[module], typing_too=True) if top(name) == view}
            assert not used, f"fedkit.{module} imports {used}"


@pytest.mark.parametrize("module", NAMES)
def test_only_the_sites_know_pysyft(module: str) -> None:
    """PySyft stands behind the Site seam, so that it can be replaced."""
    if top(module) != "sites":
        assert "syft" not in {top(name) for name in imports(modules()[module], typing_too=True)}


def test_no_two_packages_import_each_other_when_loaded() -> None:
    """A cycle between packages means that one of them holds something of the other."""

    def house(module: str) -> str:
        if module.startswith("federation.parameters"):
            return "federation.parameters"  # named arrays are plain data; the rest of federation stands above ner
        return "sites" if module == "config" or module.startswith("config.") else top(module)

    edges: dict[str, set[str]] = {}
    for name, path in modules().items():
        if name:
            edges.setdefault(house(name), set()).update(house(u) for u in ours(path) if u and house(u) != house(name))

    done: set[str] = set()

    def walk(node: str, trail: tuple[str, ...]) -> None:
        assert node not in trail, "cycle: " + " → ".join([*trail[trail.index(node) :], node])
        if node in done:
            return
        for child in sorted(edges.get(node, ())):
            walk(child, (*trail, node))
        done.add(node)

    for start in sorted(edges):
        walk(start, ())


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(answer.stdout.split())


HEAVY = {"torch", "syft", "eth", "web3", "duckdb", "numpy", "pandas", "transformers", "IPython", "ipywidgets", "matplotlib"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import fedkit", HEAVY | {"click", "rich"}),
        ("import fedkit.cli", HEAVY | {"rich"}),
        ("import fedkit.doctor", HEAVY),
        ("import fedkit; fedkit.CodeRequest, fedkit.OutputContract, fedkit.Note", HEAVY - {"numpy"}),
        ("import fedkit; fedkit.verify", TORCH | PYSYFT | {"duckdb", "pandas"}),
        ("import fedkit; fedkit.read_corpus", HEAVY - {"numpy"}),
    ],
)
def test_loading_stays_light(statement: str, absent: set[str]) -> None:
    assert not loaded_by(statement) & absent


@pytest.mark.parametrize("package", ["audit", "ledger"])
def test_every_module_of_the_audit_side_loads_without_torch_and_pysyft(package: str) -> None:
    """An auditor needs neither, so what an auditor runs may reach neither, through whatever it imports."""
    names = [f"fedkit.{name}" for name in NAMES if top(name) == package]
    assert not loaded_by(f"import {', '.join(names)}") & (TORCH | PYSYFT | {"duckdb"})


@pytest.mark.parametrize("package", ["notes", "governance"])
def test_rules_and_notes_open_no_network(package: str) -> None:
    """What is loaded with them is looked at as well, apart from what the standard library brings along by itself."""
    names = [f"fedkit.{name}" for name in NAMES if top(name) == package]
    clients = NETWORK - {"socket", "ssl", "http", "urllib"}
    assert not loaded_by(f"import {', '.join(names)}") & clients


def test_public_names_are_there_and_few() -> None:
    import fedkit

    assert len(fedkit.__all__) <= 12
    assert set(fedkit.__all__) == set(fedkit._HOMES)
    for name in fedkit.__all__:
        assert getattr(fedkit, name).__doc__, name
    with pytest.raises(AttributeError):
        fedkit.no_such_name  # noqa: B018
