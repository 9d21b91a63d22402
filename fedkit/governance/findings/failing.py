"""Prints, errors and ways out: what carries data on another way than the result, or makes a failure look like one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.review import Finding

_LEAVES = frozenset({"SystemExit", "KeyboardInterrupt", "GeneratorExit", "MemoryError", "RecursionError"})


def look(code: Code) -> Iterator[Finding]:
    """Rules "print", "error text", "errors" and "exit"."""
    seen = Look()
    for call in code.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "print" and not code.shadowed(call, "print"):
            seen.add("warn", call, "print", "prints: the steward alone will see it, the researcher never")
    for raised in code.of(ast.Raise):
        kind = raised.exc.func if isinstance(raised.exc, ast.Call) else raised.exc
        if isinstance(kind, ast.Name) and kind.id in _LEAVES:
            seen.add("refuse", raised, "exit", f"raises {kind.id}: ends the worker, and how it ended can be seen")
        if isinstance(raised.exc, ast.Call) and not all(
            isinstance(a, ast.Constant) or code.text(a) is not None for a in raised.exc.args
        ):
            seen.add("warn", raised, "error text", "puts data into an error; its message stays at the site")
    for claim in code.of(ast.Assert):
        if claim.msg is not None and code.text(claim.msg) is None:
            seen.add("warn", claim, "error text", "puts data into an error; its message stays at the site")
    for handler in code.of(ast.ExceptHandler):
        kinds = ["BaseException"] if handler.type is None else [n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)]
        if "BaseException" in kinds:
            seen.add("warn", handler, "errors", "catches everything, so that a failure looks like a result")
    yield from seen.found
