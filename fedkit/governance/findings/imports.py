"""What a request may import: parts of fedkit, NumPy, PyTorch, transformers, and what the standard library has to compute."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.findings.reach import reaches
from fedkit.governance.review import Finding

#: What a request may import (with submodules). fedkit's own are covered by the environment digest.
ALLOWED = frozenset(
    {
        *("fedkit.ner", "fedkit.notes", "fedkit.federation", "numpy", "torch", "transformers"),
        *("__future__", "abc", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions"),
        *("functools", "heapq", "itertools", "json", "math", "random", "re", "statistics", "string", "typing", "unicodedata"),
    }
)

_UNTOLD = frozenset({"__future__", "abc"})


def look(code: Code) -> Iterator[Finding]:
    """Rule "import"."""
    seen = Look()
    for node in code.of(ast.Import):
        for alias in node.names:
            _whole(seen, node, alias.name)
    for part in code.of(ast.ImportFrom):
        if part.level:
            seen.add("refuse", part, "import", "relative import: a request is one file")
            continue
        for alias in part.names:
            if alias.name == "*":
                seen.add("refuse", part, "import", "import of everything: it hides where a name comes from")
            elif alias.name.startswith("_") and part.module != "__future__":
                seen.add("refuse", part, "import", f"import of the private name {alias.name}")
            else:
                _whole(seen, part, f"{part.module}.{alias.name}")
    yield from seen.found


def allowed(name: str) -> bool:
    """Whether a dotted name is one of `ALLOWED` or below one."""
    return any(name == a or name.startswith(f"{a}.") for a in ALLOWED)


def _whole(seen: Look, node: ast.AST, name: str) -> None:
    if not allowed(name):
        seen.add("refuse", node, "import", f"import of {name}: requests may use {', '.join(sorted(ALLOWED - _UNTOLD))}")
    else:
        reaches(seen, node, name)
