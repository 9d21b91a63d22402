"""The committed contracts are what their source compiles to, and the source explains itself to who reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedkit.ledger.contracts import NAMES, contract, read_error

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
SOURCES = sorted((CONTRACTS / "src").glob("*.sol"))

#: A declaration at the level of a contract: what kind, its name where it has one, its parameters, and what comes before a body.
DECLARED = re.compile(
    r"^(?:    )?(?P<kind>function|constructor|modifier|event|error|struct|enum)\b\s*(?P<name>\w*)"
    r"(?:\((?P<given>[^)]*)\)(?P<rest>[^{;]*))?",
    re.MULTILINE,
)
VARIABLE = re.compile(r"^    (?:mapping\(.*\)|[A-Za-z]\w*(?: (?:immutable|constant))*) public .*$", re.MULTILINE)


def test_the_build_is_reproducible() -> None:
    if shutil.which("node") is None or not (CONTRACTS / "node_modules" / "solc").is_dir():
        pytest.skip("no compiler: run `npm ci` in contracts/")
    script = CONTRACTS.parent / "tools" / "build_contracts.mjs"
    done = subprocess.run(["node", str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_build_has_the_contracts_and_nothing_else() -> None:
    assert {p.stem for p in (CONTRACTS / "build").glob("*.json")} == set(NAMES)


def test_the_contracts_fit_where_they_are_to_run() -> None:
    for name in NAMES:
        assert 0 < len(contract(name).bytecode) < 24_576  # EIP-170


def comment(text: str, at: int) -> str:
    """The NatSpec above a declaration."""
    lines: list[str] = []
    for line in reversed(text[:at].rstrip("\n").split("\n")):
        if not line.strip().startswith("///"):
            break
        lines.insert(0, line.strip().removeprefix("///").strip())
    return "\n".join(lines)


def unexplained(text: str) -> Iterator[str]:
    """What in a source lacks an explanation that it should have."""
    for found in re.finditer(r"^(?:abstract )?contract (\w+)", text, re.MULTILINE):
        if "@title" not in comment(text, found.start()):
            yield f"contract {found[1]}: no @title"
    for found in DECLARED.finditer(text):
        kind, name, said = found["kind"], found["name"], comment(text, found.start())
        rest = found["rest"] or ""
        inside = bool(re.search(r"\b(internal|private)\b", rest))
        if kind != "constructor" and not re.search("@dev|@notice" if inside else "@notice", said):
            yield f"{kind} {name}: no @notice"
        if kind in ("function", "constructor"):
            for parameter in filter(None, (found["given"] or "").split(",")):
                if f"@param {parameter.split()[-1]} " not in said + " ":
                    yield f"{kind} {name}: no @param {parameter.split()[-1]}"
            if "returns" in rest and "@return" not in said:
                yield f"{kind} {name}: no @return"
    for found in VARIABLE.finditer(text):
        if "@notice" not in comment(text, found.start()):
            yield f"{found[0].strip()}: no @notice"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_everything_is_explained(source: Path) -> None:
    assert list(unexplained(source.read_text("utf-8"))) == []


def test_what_is_not_explained_would_be_found() -> None:
    text = (CONTRACTS / "src" / "Requests.sol").read_text("utf-8")
    for line in set(re.findall(r"^ +/// @(?:notice|param|return|title).*\n|^/// @title.*\n", text, re.MULTILINE)):
        if text.count(line) == 1:
            assert list(unexplained(text.replace(line, ""))), line


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_refusals_are_errors_with_a_name(source: Path) -> None:
    """Never a text: it would cost more, say less to a program, and could carry anything."""
    code = re.sub(r"//.*", "", source.read_text("utf-8"))
    assert not re.search(r"\b(?:require|assert)\s*\(|\brevert\s*\(", code)
    assert not re.search(r"\bstring\b", code)


def test_a_refusal_says_what_it_means() -> None:
    """The sentence that stands above an error in the source reaches who met it; those of the library have none."""
    for name in NAMES:
        own = {
            found["name"] for source in SOURCES for found in DECLARED.finditer(source.read_text()) if found["kind"] == "error"
        }
        errors = {part.name for part in contract(name).errors.values()}
        assert set(contract(name).meanings) == errors & own
        for part in contract(name).errors.values():
            if part.name in own and not part.types:
                assert re.fullmatch(rf"{part.name}\(\): [a-z].*[^.]", read_error(part.key))


def test_every_event_that_is_emitted_can_be_read_by_name() -> None:
    from fedkit.ledger import events

    told = {part.name for name in NAMES for part in contract(name).events.values()}
    unread = {"RoleAdminChanged", "EIP712DomainChanged"}  # of the library; nothing here emits them
    assert told - unread == {kind.__name__ for kind in events.Event.__subclasses__()}
