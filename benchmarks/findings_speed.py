"""What a static look at a request costs, and a comparison by meaning with the version before.

    python benchmarks/findings_speed.py

The request has 300 lines of real code: the shipped training request with the functions of fedkit that it calls (and those for
counts) written out in it, as a researcher would who changes the recipe. The version before differs in ten places. JSON in the
last line.
"""

from __future__ import annotations

import ast
import json
import statistics
import time
from collections.abc import Callable

from measured import ROOT

from fedkit.governance.differences import changes
from fedkit.governance.findings import find
from fedkit.ner.tasks import SOURCE

LINES, REPEATS = 300, 60

#: Modules in the order in which their definitions are written out.
MODULES = ("ner/training.py", "ner/metrics.py", "notes/counting.py", "ner/encoding.py", "ner/features.py")


def request_of(lines: int) -> str:
    """A source of so many lines: whole definitions, comments and docstrings as they stand, blank lines to fill the last few."""
    parts = [SOURCE.rstrip("\n").replace("tasks.train_round(", "train_written_out(")]
    parts.append(
        next(p for p in definitions("ner/tasks.py") if p.startswith("def train_round(")).replace("_round(", "_written_out(")
    )
    for part in (p for module in MODULES for p in definitions(module)):
        if part not in parts and "\n\n\n".join([*parts, part]).count("\n") < lines:
            parts.append(part)
    source = "\n\n\n".join(parts)
    return source + "\n" * (lines - source.count("\n"))


def definitions(module: str) -> list[str]:
    """Imports, functions and classes of one of fedkit's modules, as they stand there."""
    text = (ROOT / "fedkit" / module).read_text("utf-8")
    lines = text.splitlines()
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            found.append("\n".join(lines[first - 1 : node.end_lineno]))
    return found


def version_before(source: str, places: int = 10) -> str:
    """The same with so many whole numbers one higher."""
    tree = ast.parse(source)
    numbers = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is int]
    for node in numbers[:: max(1, len(numbers) // places)][:places]:
        node.value += 1
    return ast.unparse(tree)


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile of the time of the process, after three calls that do not count."""
    taken = []
    for number in range(REPEATS + 3):
        began = time.process_time()
        call()
        if number >= 3:
            taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def main() -> None:
    source = request_of(LINES)
    before = version_before(source)
    look, comparison = milliseconds(lambda: find(source)), milliseconds(lambda: changes(before, source))
    print(
        json.dumps(
            {
                "lines": source.count("\n"),
                "findings": len(find(source)),
                "ms": look[0],
                "p95": look[1],
                "changes": len(changes(before, source)),
                "changes_ms": comparison[0],
                "changes_p95": comparison[1],
                "repeats": REPEATS,
            }
        )
    )


if __name__ == "__main__":
    main()
