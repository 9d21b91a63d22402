"""The corpus of snippets: each has exactly the findings that its head expects, and docs/findings.md tells how many are caught.

`findings_corpus/` was there while the rules were written. `findings_held_out/` was written after them, and
`findings_held_out_again/` after what that had shown was mended. What the rules made of each before anybody mended them stands
in `first.json` beside it (lines as they were before the head was written) and is not to be changed.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import fedkit.governance.findings
from fedkit.governance.findings import find
from fedkit.governance.findings.code import Look
from fedkit.ner.tasks import SOURCE
from fedkit.templates.count import CountTemplate
from fedkit.templates.evaluation import EvaluationTemplate
from fedkit.templates.table import TableTemplate

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "findings.md"
CORPUS = sorted((HERE / "findings_corpus").rglob("*.py"))
SETS = {"held out": HERE / "findings_held_out", "held out again": HERE / "findings_held_out_again"}
HELD_OUT = [path for folder in SETS.values() for path in sorted(folder.rglob("*.py"))]

SHIPPED = {
    "training": SOURCE,
    "count": CountTemplate.source,
    "table": TableTemplate.source,
    "evaluation": EvaluationTemplate.source,
}

Found = set[tuple[str, str, int]]


def expected(source: str) -> Found:
    """`# expect: level rule line` at the head of a snippet; notes are not listed."""
    return {(level, rule, int(line)) for level, rule, line in re.findall(r"^# expect: (\w+) ([\w ]+) (\d+)$", source, re.M)}


def found(source: str) -> Found:
    return {(f.level, f.rule, f.line) for f in find(source) if f.level != "note"}


@dataclass(frozen=True)
class Figures:
    """Of a set of snippets: how many hostile ones have a warning or refusal, how many honest ones have none."""

    hostile: int
    refused: int
    warned: int
    honest: int
    clean: int
    wrongly_refused: int

    @property
    def recall(self) -> float:
        return (self.refused + self.warned) / self.hostile

    @property
    def precision(self) -> float:
        caught = self.refused + self.warned
        return caught / (caught + self.honest - self.clean)

    def row(self, name: str) -> str:
        counts = [self.hostile, self.refused, self.warned, self.hostile - self.refused - self.warned]
        counts += [self.honest, self.honest - self.clean, self.wrongly_refused]
        return f"| {name} | {' | '.join(map(str, counts))} | {self.recall:.2f} | {self.precision:.2f} |"


def figures(levels: dict[str, set[str]]) -> Figures:
    """levels: "hostile/name" or "benign/name" → the levels of its findings."""
    bad = [v for k, v in levels.items() if k.startswith("hostile/")]
    good = [v for k, v in levels.items() if k.startswith("benign/")]
    return Figures(
        len(bad),
        sum("refuse" in v for v in bad),
        sum("warn" in v and "refuse" not in v for v in bad),
        len(good),
        sum(not v for v in good),
        sum("refuse" in v for v in good),
    )


def measured(paths: list[Path]) -> Figures:
    return figures({f"{p.parent.name}/{p.stem}": {level for level, _, _ in found(p.read_text("utf-8"))} for p in paths})


def first_day(folder: Path) -> Figures:
    rows = json.loads((folder / "first.json").read_text("utf-8"))
    return figures({name: {row[0] for row in rows_} for name, rows_ in rows.items()})


@pytest.mark.parametrize("path", CORPUS + HELD_OUT, ids=lambda p: f"{p.parts[-3]}/{p.parent.name}/{p.stem}")
def test_a_snippet_has_the_findings_that_its_head_expects_and_no_others(path: Path) -> None:
    source = path.read_text("utf-8")
    assert found(source) == expected(source)


def test_the_sets_are_as_large_as_they_have_to_be_and_every_snippet_says_what_it_is() -> None:
    assert len(CORPUS) >= 60
    for folder in SETS.values():
        assert len(list((folder / "hostile").glob("*.py"))) >= 15
        assert len(list((folder / "benign").glob("*.py"))) >= 10
    for path in CORPUS + HELD_OUT:
        first = path.read_text("utf-8").splitlines()[0]
        assert re.fullmatch(rf"# {path.parent.name}(: [\w ]+)?", first), path.name


def test_no_honest_snippet_of_the_corpus_is_refused() -> None:
    assert measured(CORPUS).wrongly_refused == 0


@pytest.mark.parametrize("folder", SETS.values(), ids=SETS)
def test_the_first_findings_in_a_held_out_set_are_of_every_snippet_in_it(folder: Path) -> None:
    rows = json.loads((folder / "first.json").read_text("utf-8"))
    assert set(rows) == {f"{p.parent.name}/{p.stem}" for p in folder.rglob("*.py")}


def table() -> list[str]:
    """The rows of docs/findings.md."""
    rows = [measured(CORPUS).row("corpus, known while the rules were written")]
    for name, folder in SETS.items():
        rows.append(first_day(folder).row(f"{name}, as it first came out"))
        rows.append(measured(sorted(folder.rglob("*.py"))).row(f"{name}, today"))
    return rows


def test_the_table_in_the_docs_is_what_is_measured() -> None:
    told = re.findall(r"^\| (?:corpus|held out).*\|$", DOCS.read_text("utf-8"), re.M)
    assert told == table()


def test_every_rule_is_in_the_docs_with_its_levels_and_no_other() -> None:
    package = Path(fedkit.governance.findings.__file__).parent
    written: dict[str, set[str]] = {}
    for node in (n for path in package.rglob("*.py") for n in ast.walk(ast.parse(path.read_text("utf-8")))):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2] in ("add", "Finding")
            and len(node.args) == 4
        ):
            level, _, rule = (ast.unparse(a) for a in node.args[:3])
            if rule.startswith("'"):
                levels = {level.strip("'")} if level.startswith("'") else {"refuse", "warn"}  # by what is at stake
                written.setdefault(rule.strip("'"), set()).update(levels)
    rows = re.findall(r"^\| (`.+`) \| ((?:refuse|warn|note)(?:, (?:warn|note))*) \|", DOCS.read_text("utf-8"), re.M)
    told = {rule: set(levels.split(", ")) for names, levels in rows for rule in re.findall(r"`([^`]+)`", names)}
    assert set(told) == set(written)
    for rule, levels in written.items():
        assert levels <= told[rule], rule


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_fedkit_ships_gives_a_steward_nothing_to_worry_about(name: str) -> None:
    assert found(SHIPPED[name]) == set()


def test_every_place_where_something_is_found_is_reached_by_a_snippet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from those that need a request's contracts, or more code than a snippet (tests/governance/test_findings.py)."""
    reached: set[tuple[str, int]] = set()
    add = Look.add

    def watched(self: Look, level: str, node: ast.AST | int, rule: str, message: str) -> None:
        frame = sys._getframe(1)
        reached.add((frame.f_code.co_filename, frame.f_lineno))
        add(self, level, node, rule, message)

    monkeypatch.setattr(Look, "add", watched)
    for path in CORPUS + HELD_OUT:
        find(path.read_text("utf-8"))
    missing = []
    for path in Path(fedkit.governance.findings.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("seen.add"):
                lines = {(str(path), line) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
                if not lines & reached and ast.unparse(node.args[2]) not in ("'size'", "'flow'"):
                    missing.append(f"{path.name}:{node.lineno}")
    assert missing == []
