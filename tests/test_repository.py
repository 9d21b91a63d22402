"""What the repository itself promises: one source of versions, no traces of a machine, documents that say what is so."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import lock
import pytest

ROOT = Path(__file__).resolve().parents[1]

SOURCES = sorted(p for folder in ("fedkit", "tools", "benchmarks") for p in (ROOT / folder).rglob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@cache
def tracked() -> list[Path]:
    """Every file in git that is text."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("no git here: an exported copy of the repository")
    files = [ROOT / name for name in answer.stdout.split("\0") if name]
    return [p for p in files if p.is_file() and b"\0" not in p.read_bytes()[:4096]]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- versions


def test_lock_and_conda_file_are_what_pyproject_asks_for_and_what_is_installed() -> None:
    assert lock.check() == []


def test_lock_pins_releases_and_no_builds_of_one_machine() -> None:
    pins = lock.read_lock(ROOT / "requirements.lock")
    assert len(pins) > 100
    assert not [f"{n}=={v}" for n, v in pins.items() if not re.fullmatch(r"[0-9][0-9a-z.]*", v)]


def test_a_line_that_pins_nothing_is_no_lock(tmp_path: Path) -> None:
    file = tmp_path / "requirements.lock"
    file.write_text("torch>=2\n")
    with pytest.raises(ValueError, match="name==version"):
        lock.read_lock(file)


def test_a_dependency_that_is_not_locked_is_found(tmp_path: Path) -> None:
    for file in ("pyproject.toml", "requirements.lock", "environment.yml"):
        (tmp_path / file).write_text((ROOT / file).read_text("utf-8"), "utf-8")
    text = (tmp_path / "requirements.lock").read_text("utf-8")
    (tmp_path / "requirements.lock").write_text(re.sub(r"(?m)^sniffio==.*\n", "", text) + "left-over==1.0\n", "utf-8")
    assert lock.check(tmp_path) == [
        "sniffio is needed and not in requirements.lock",
        "left-over is in requirements.lock and nothing needs it",
    ]


def test_one_version_of_fedkit() -> None:
    import fedkit

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == fedkit.__version__
    assert re.search(rf"^## \[({re.escape(fedkit.__version__)}|Unreleased)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)


def test_licence() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license"] == {"text": "Apache-2.0"}


# -- traces of a machine

TRACES = {
    "a folder of one machine": re.compile(r"(?<![\w.\-])/(?:root|home|Users|work)/[\w.]"),
    "an address of a private network": re.compile(r"https?://(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d"),
    "a name that only an internal network knows": re.compile(r"https?://[\w.-]+\.(?:internal|corp|lan|intra)\b"),
    "a password in an address": re.compile(r"https?://[^\s/:@\"']+:[^\s/@\"'{}<>$]+@"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}


@pytest.mark.parametrize("trace", TRACES)
def test_no_traces_of_a_machine(trace: str) -> None:
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if TRACES[trace].search(line):
                found.append(f"{name(path)}:{number}")
    assert not found, f"{trace} in {', '.join(found[:10])}"


def test_traces_would_be_found() -> None:
    """The patterns above match what they are meant for."""
    lines = ("see /" + "home/ada/notes", "http://" + "10.0.0.7/x", "https://git." + "lan/x", "https://ada:" + "secret@git.org")
    for line, trace in zip(lines, TRACES, strict=False):
        assert TRACES[trace].search(line), trace


def test_packages_come_from_public_registries() -> None:
    for path in tracked():
        if path.name == "package-lock.json":
            hosts = set(re.findall(r'"resolved": "https?://([^/"]+)', path.read_text("utf-8")))
            assert hosts <= {"registry.npmjs.org"}, name(path)


# -- modules


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_modules_have_one_idea_and_say_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400, "more than 400 lines: two ideas"
    assert ast.get_docstring(ast.parse(text)), "no docstring that says what this module is for"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_is_left_to_do(path: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text("utf-8"))


# -- documents

TARGETS = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_documents_name_commands_that_exist(path: Path) -> None:
    from fedkit.cli import fedkit as group

    commands = set(group.commands or {}) | set(group.list_commands(None))  # type: ignore[arg-type]
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", path.read_text("utf-8"), re.S))
    assert set(re.findall(r"(?m)(?:^|[`$;&] ?)make ([a-z][a-z-]*)", code)) <= set(TARGETS)
    assert set(re.findall(r"(?m)(?:^|[`$;&] ?)fedkit ([a-z][a-z-]*)", code)) <= commands


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))
    broken = [
        link for link in links if "://" not in link and not link.startswith("mailto:") and not (path.parent / link).exists()
    ]
    assert not broken


def test_every_decision_has_a_number_and_an_outcome() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(p.name[:3]) for p in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text("utf-8")
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert heading in text, f"{name(path)} has no {heading}"
