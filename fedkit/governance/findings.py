"""A static look at a request's source: what a steward should see before deciding. Pure; nothing is run or imported.

It is an aid to the steward, **not the boundary**: Python can hide what it does from any reader of its syntax tree. What holds
code is the confined worker and the output contract. So a rule here may be strict where honest code loses nothing by it.

    refuse   has no place in a request: imports beyond the allow-list, eval, files, the object model's back doors
    warn     may be honest, look at it: print, data in an error, endless loops, global state
    note     what the code uses: splits, texts, what it gives back
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator

from fedkit.governance.review import Finding

#: What a request may import (with submodules). fedkit's own are covered by the environment digest.
ALLOWED = frozenset(
    {
        *("fedkit.ner", "fedkit.notes", "fedkit.federation", "numpy", "torch", "transformers"),
        *("__future__", "abc", "bisect", "collections", "copy", "dataclasses", "decimal", "enum", "fractions", "functools"),
        *("heapq", "itertools", "json", "math", "random", "re", "statistics", "string", "typing", "unicodedata"),
    }
)

#: Whatever they are reached through, these read or write files, load objects, or start something.
FORBIDDEN_PARTS = frozenset(
    {
        *("os", "sys", "subprocess", "socket", "ctypes", "pickle", "marshal", "shutil", "importlib", "builtins", "pathlib"),
        *("shelve", "tempfile", "multiprocessing", "threading", "ctypeslib", "f2py", "cpp_extension", "load_library"),
        *("memmap", "fromfile", "tofile", "loadtxt", "savetxt", "genfromtxt", "savez", "savez_compressed", "from_file"),
        *("attrgetter", "methodcaller"),
    }
)

#: The same, but only directly on a module: honest objects have attributes of these names.
FORBIDDEN_ON_MODULES = frozenset(
    {
        *("load", "save", "hub", "jit", "ops", "classes", "package", "distributed"),
        *("io", "code", "gc", "signal", "inspect", "codecs", "warnings", "linecache"),
    }
)

_FORBIDDEN_NAMES = frozenset(
    "eval exec compile open input breakpoint globals locals vars delattr memoryview exit quit help".split()  # noqa: SIM905
)
_HARMLESS_DUNDERS = frozenset({"__init__", "__name__", "__doc__", "__version__", "__call__", "__len__", "__post_init__"})
_FRAMES = re.compile(r"(f|gi|cr|ag|tb|co|func)_\w+")
_DUNDER = re.compile(r"__\w+__")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00-\x08\x0b\x0e-\x1f]")
_LONGEST = 200_000
_ORDER = ("refuse", "warn", "note")


def find(source: str) -> list[Finding]:
    """What stands out in a source, by level (refuse first) and line. Never raises: what cannot be read is refused."""
    if len(source) > _LONGEST:
        return [Finding("refuse", 1, "length", f"more than {_LONGEST:,} characters: nobody can review that")]
    try:
        tree = ast.parse(source)
        look = _Look(tree)
        look.visit(tree)
    except SyntaxError as error:
        return [Finding("refuse", error.lineno or 1, "syntax", "it does not parse as Python 3.11")]
    except (ValueError, RecursionError, MemoryError):
        return [Finding("refuse", 1, "syntax", "it cannot be read as Python: null bytes, or nested too deeply")]
    found = {*look.found, *_in_text(source)}
    return sorted(found, key=lambda f: (_ORDER.index(f.level), f.line, f.rule, f.message))


def difference(old_source: str, new_source: str, old_name: str = "approved", new_name: str = "this request") -> str:
    """A unified diff of two sources, "" if they are the same."""
    lines = difflib.unified_diff(old_source.splitlines(), new_source.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)


def _in_text(source: str) -> Iterator[Finding]:
    for number, line in enumerate(source.splitlines(), 1):
        if _INVISIBLE.search(line):
            yield Finding("refuse", number, "invisible", "characters that do not show or that reverse the reading direction")


class _Look(ast.NodeVisitor):
    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Finding] = []
        self._bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        self._bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
        self._docstrings = set(_docstrings(tree))
        self._modules = {
            (alias.asname or alias.name).split(".")[0]
            for n in ast.walk(tree)
            if isinstance(n, ast.Import | ast.ImportFrom)
            for alias in n.names
        }
        self._fedkit = {
            alias.asname or alias.name
            for n in ast.walk(tree)
            if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("fedkit")
            for alias in n.names
        }
        for statement in tree.body:
            if not _only_defines(statement):
                self._add("warn", statement, "top level", "runs when the source is loaded, before any entry is called")

    def _add(self, level: str, node: ast.AST, rule: str, message: str) -> None:
        self.found.append(Finding(level, getattr(node, "lineno", 1), rule, message))

    # -- imports
    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._import(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:
            self._add("refuse", node, "import", "relative import: a request is one file")
            return
        for alias in node.names:
            if alias.name == "*":
                self._add("refuse", node, "import", "import of everything: it hides where a name comes from")
            elif alias.name.startswith("_") and node.module != "__future__":
                self._add("refuse", node, "import", f"import of the private name {alias.name}")
            elif _allowed(node.module or ""):
                self._import(node, node.module or "")
                self._part(node, alias.name, on_module=True)
            else:
                self._import(node, f"{node.module}.{alias.name}")

    def _import(self, node: ast.AST, name: str) -> None:
        if not _allowed(name):
            self._add("refuse", node, "import", f"import of {name}: requests may use {', '.join(sorted(_shown()))}")
            return
        for part in name.split(".")[1:]:
            self._part(node, part, on_module=True)

    def _part(self, node: ast.AST, name: str, *, on_module: bool) -> None:
        if name.lstrip("_") in FORBIDDEN_PARTS or (on_module and name in FORBIDDEN_ON_MODULES):
            self._add("refuse", node, "reach", f"{name}: reaches files, other processes or code that nobody has reviewed")

    # -- names and attributes
    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _FORBIDDEN_NAMES and isinstance(node.ctx, ast.Load) and node.id not in self._bound:
            self._add("refuse", node, "builtin", f"{node.id}: has no place in a request")
        elif _DUNDER.fullmatch(node.id) and node.id not in _HARMLESS_DUNDERS:
            self._add("refuse", node, "object model", f"{node.id}: a back door of the object model")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._attribute(node, node.attr)
        self._part(node, node.attr, on_module=isinstance(node.value, ast.Name) and node.value.id in self._modules)
        if isinstance(node.value, ast.Name) and node.value.id == "notes":
            meaning = {
                "train": "reads the training notes",
                "dev": "reads the development notes",
                "test": "reads the test notes",
            }
            meaning["cache"] = "keeps things at the site between rounds"
            if node.attr in meaning:
                self._add("note", node, "data", meaning[node.attr])
        if node.attr == "text":
            self._add("note", node, "data", "reads the text of notes")
        self.generic_visit(node)

    def _attribute(self, node: ast.AST, name: str) -> None:
        if (_DUNDER.fullmatch(name) and name not in _HARMLESS_DUNDERS) or _is_frame(name):
            self._add("refuse", node, "object model", f"{name}: a back door of the object model")

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node not in self._docstrings:
            for name in _DUNDER.findall(node.value):
                if name not in _HARMLESS_DUNDERS and name != "__main__":
                    self._add("refuse", node, "object model", f"{name} in a string: a back door of the object model")

    # -- calls
    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("getattr", "setattr", "hasattr"):
            which = node.args[1] if len(node.args) > 1 else None
            if isinstance(which, ast.Constant) and isinstance(which.value, str):
                self._attribute(node, which.value)
                self._part(node, which.value, on_module=False)
            else:
                self._add("refuse", node, "object model", f"{name} with a computed name: nobody can see what it reaches")
        elif name == "print":
            self._add("warn", node, "print", "prints: the steward alone will see it, the researcher never")
        elif name == "type" and len(node.args) > 1:
            self._add("warn", node, "object model", "makes a class out of strings")
        called = ast.unparse(node.func)
        if called.split(".")[0] in self._fedkit:
            given = " and hands it the notes" if any(isinstance(a, ast.Name) and a.id == "notes" for a in node.args) else ""
            self._add("note", node, "fedkit", f"calls fedkit's {called}{given}; the environment digest covers it")
        self.generic_visit(node)

    # -- what may carry data, or never end
    def visit_Raise(self, node: ast.Raise) -> None:
        if isinstance(node.exc, ast.Call) and not all(isinstance(a, ast.Constant) for a in node.exc.args):
            self._add("warn", node, "error text", "puts data into an error; its message stays at the site")
        self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            self._add("warn", node, "error text", "puts data into an error; its message stays at the site")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        if isinstance(node.test, ast.Constant) and node.test.value:
            ends = any(isinstance(n, ast.Break | ast.Return | ast.Raise) for n in ast.walk(node))
            self._add("warn", node, "loop", "a loop without a bound" + ("" if ends else ", and nothing ends it"))
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self._add("warn", node, "state", "global state: a round may depend on the one before it; use notes.cache")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException"):
            self._add("warn", node, "errors", "catches everything, so that a failure looks like a result")
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in ("__del__", "__reduce__", "__getattr__", "__getattribute__", "__setattr__", "__class_getitem__"):
            self._add("warn", node, "object model", f"{node.name}: runs where the source does not show a call")
        self.generic_visit(node)

    # -- what goes back
    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in ("tensors", "numbers"):
                self._add("note", value, "result", f"gives back {key.value}: {_names(value)}")
        self.generic_visit(node)


def _allowed(name: str) -> bool:
    return any(name == a or name.startswith(f"{a}.") for a in ALLOWED)


def _shown() -> Iterable[str]:
    return ALLOWED - {"__future__", "abc"}


def _is_frame(name: str) -> bool:
    return bool(_FRAMES.fullmatch(name)) and name.split("_", 1)[1] in (
        *("globals", "locals", "builtins", "back", "code", "frame", "consts", "next", "lineno", "trace"),
    )


def _names(value: ast.expr) -> str:
    """Names of a dict as written in the source, or that they are computed."""
    if isinstance(value, ast.Dict):
        if all(isinstance(k, ast.Constant) for k in value.keys):
            return ", ".join(k.value for k in value.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)) or "none"
        return "names that are computed"
    return "from elsewhere in the code"


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _only_defines(statement: ast.stmt) -> bool:
    """Whether a top-level statement only imports, defines or names a value that needs no call."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return not any(isinstance(n, ast.Call | ast.Await | ast.NamedExpr) for n in ast.walk(statement))
    return False
