"""What a request reads and gives back, as written, and how much room its output contract leaves."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.request import Entry
from fedkit.governance.review import Finding

PARTS = ("tensors", "numbers", "tables")
_READS = {
    "train": "reads the training notes",
    "dev": "reads the development notes",
    "test": "reads the test notes",
    "cache": "keeps things at the site between rounds",
}

#: Beyond so many single numbers an answer is no summary any more.
MANY_NUMBERS = 500


def look(code: Code) -> Iterator[Finding]:
    """Rules "data", "result", "fedkit" and "size"."""
    seen = Look()
    for node in code.of(ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "notes" and node.attr in _READS:
            seen.add("note", node, "data", _READS[node.attr])
        if node.attr == "text":
            seen.add("note", node, "data", "reads the text of notes")
    for call in code.of(ast.Call):
        if (full := code.dotted(call.func)) and full.startswith("fedkit."):
            given = " and hands it the notes" if any(isinstance(a, ast.Name) and a.id == "notes" for a in call.args) else ""
            called = ast.unparse(call.func)
            seen.add("note", call, "fedkit", f"calls fedkit's {called}{given}; the environment digest covers it")
    for answer in code.of(ast.Dict):
        for key, value in zip(answer.keys, answer.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in PARTS:
                seen.add("note", value, "result", f"gives back {key.value}: {_names(value)}")
    for entry in code.entries:
        _size(seen, code, entry)
    yield from seen.found


def _size(seen: Look, code: Code, entry: Entry) -> None:
    """How much an execution may give back, beside what the code does to need it."""
    function = code.functions.get(entry.name)
    line: ast.AST | int = function if function is not None else 1
    floats = sum(math.prod(shape) for shape in entry.contract.tensors.values())
    times = f"{entry.executions:,} time{'s' * (entry.executions != 1)}"
    if floats:
        seen.add("note", line, "size", f"{entry.name} may give back {floats:,} numbers in tensors, {times}")
    if len(entry.contract.numbers) > MANY_NUMBERS:
        seen.add("warn", line, "size", f"{entry.name} may give back {len(entry.contract.numbers):,} single numbers, {times}")
    if floats and function is not None and not _trains(code, function):
        room = f"room for a text of {floats * 4:,} letters"
        seen.add("warn", line, "size", f"{entry.name} gives tensors and does not take or train weights: {room}")
    if entry.contract.tensors and entry.contract.max_norm is None and not getattr(entry.contract, "norms", {}):
        seen.add("note", line, "size", f"{entry.name}: no bound on the norm of its tensors")


def _trains(code: Code, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function takes the weights it is given, or hands everything to fedkit."""
    return any(
        (isinstance(n, ast.Name) and n.id == "weights" and isinstance(n.ctx, ast.Load))
        or (isinstance(n, ast.Call) and (code.dotted(n.func) or "").startswith("fedkit.ner"))
        for n in ast.walk(function)
    )


def _names(value: ast.expr) -> str:
    """Names of a dict as written in the source, or that they are computed."""
    if isinstance(value, ast.Dict):
        if all(isinstance(k, ast.Constant) for k in value.keys):
            return ", ".join(k.value for k in value.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)) or "none"
        return "names that are computed"
    return "from elsewhere in the code"
