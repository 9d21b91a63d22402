"""Builtins that have no place in a request, and Python's object model: dunders, frames, computed attributes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from string import Formatter

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.findings.reach import ANYWHERE
from fedkit.governance.review import Finding

FORBIDDEN_NAMES = frozenset(
    "eval exec compile open input breakpoint globals locals vars delattr memoryview exit quit help".split()  # noqa: SIM905
)
_HARMLESS = frozenset({"__init__", "__name__", "__doc__", "__version__", "__call__", "__len__", "__post_init__"})

#: Methods that a class may define: what calls them shows in the source.
_ORDINARY = _HARMLESS | frozenset(
    f"__{name}__"
    for name in (
        *("repr", "str", "eq", "ne", "lt", "le", "gt", "ge", "hash", "iter", "next", "getitem", "contains", "enter", "exit"),
        *(
            "add",
            "sub",
            "mul",
            "truediv",
            "floordiv",
            "mod",
            "pow",
            "matmul",
            "neg",
            "abs",
            "radd",
            "rmul",
            "iadd",
            "and",
            "or",
        ),
        *("reversed", "setitem", "missing"),
    )
)
_FRAMES = re.compile(r"(?:f|gi|cr|ag|tb|co|func)_(?:globals|locals|builtins|back|code|frame|consts|next|lineno|trace|names)")
_DUNDER = re.compile(r"__\w+__")
_COMPUTED = "with a computed name: nobody can see what it reaches"


def look(code: Code) -> Iterator[Finding]:
    """Rules "builtin" and "object model"."""
    seen = Look()
    for name in code.of(ast.Name):
        _name(seen, code, name)
    for attribute in code.of(ast.Attribute):
        _attribute(seen, attribute, attribute.attr)
        if attribute.attr.startswith("_") and not attribute.attr.startswith("__"):
            _private(seen, code, attribute)
    for constant in code.of(ast.Constant):
        if isinstance(constant.value, str | bytes) and constant not in code.docstrings:
            _string(seen, constant, code.text(constant) or "")
    for joined in code.of(ast.BinOp, ast.JoinedStr, ast.Call, ast.Subscript):
        if not isinstance(code.parents.get(joined), ast.BinOp) and (whole := code.text(joined)):
            _pieces(seen, joined, whole)
    for call in code.of(ast.Call):
        _call(seen, code, call)
    for pattern in code.of(ast.MatchClass):
        for attr in pattern.kwd_attrs:
            _attribute(seen, pattern, attr)
    for function in code.of(ast.FunctionDef, ast.AsyncFunctionDef):
        if _DUNDER.fullmatch(function.name) and function.name not in _ORDINARY:
            seen.add("warn", function, "object model", f"{function.name}: runs where the source does not show a call")
    for kind in code.of(ast.ClassDef):
        for option in kind.keywords:
            seen.add(
                "warn", kind, "object model", f"{option.arg or 'options'} of the class {kind.name}: changes how it is made"
            )
    yield from seen.found


def _name(seen: Look, code: Code, node: ast.Name) -> None:
    if node.id in FORBIDDEN_NAMES and isinstance(node.ctx, ast.Load) and not code.shadowed(node, node.id):
        seen.add("refuse", node, "builtin", f"{node.id}: has no place in a request")
    elif _DUNDER.fullmatch(node.id) and node.id not in _HARMLESS:
        seen.add("refuse", node, "object model", f"{node.id}: a back door of the object model")
    elif node.id in ("getattr", "setattr", "hasattr") and not code.shadowed(node, node.id):
        parent = code.parents.get(node)
        if not (isinstance(parent, ast.Call) and parent.func is node):
            seen.add("refuse", node, "object model", f"{node.id} under another name: nobody can see what it reaches")


def _attribute(seen: Look, node: ast.AST, name: str) -> None:
    if (_DUNDER.fullmatch(name) and name not in _HARMLESS) or _FRAMES.fullmatch(name) or name in ("mro", "with_traceback"):
        seen.add("refuse", node, "object model", f"{name}: a back door of the object model")


def _private(seen: Look, code: Code, node: ast.Attribute) -> None:
    if code.dotted(node) is not None:
        return  # rule "reach"
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    if owner == "notes":
        seen.add("refuse", node, "object model", f"{node.attr}: a private part of what the worker hands over")
    elif owner not in ("self", "cls") and node.attr not in ("_replace", "_asdict", "_fields"):
        seen.add("warn", node, "object model", f"{node.attr}: a private part of another object")


def _string(seen: Look, node: ast.AST, text: str) -> None:
    for name in _DUNDER.findall(text):
        if name not in _HARMLESS and name != "__main__":
            seen.add("refuse", node, "object model", f"{name} in a string: a back door of the object model")


def _pieces(seen: Look, node: ast.AST, whole: str) -> None:
    """A text that is put together and is one of the names that would be refused if it stood there."""
    dunders = [n for n in _DUNDER.findall(whole) if n not in _HARMLESS and n != "__main__"]
    hidden = dunders or ([whole] if whole in FORBIDDEN_NAMES | ANYWHERE and len(whole) > 2 else [])
    if hidden:
        seen.add("refuse", node, "object model", f"{hidden[0]} put together from pieces: a back door of the object model")


def _call(seen: Look, code: Code, call: ast.Call) -> None:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in ("getattr", "setattr", "hasattr"):
        which = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) else None
        if not isinstance(which, str):
            seen.add("refuse", call, "object model", f"{name} {_COMPUTED}")
        else:
            _attribute(seen, call, which)
            if which.lstrip("_") in ANYWHERE or which in ANYWHERE:
                seen.add("refuse", call, "reach", f"{which}: reaches files, other processes or code that nobody has reviewed")
            if which.startswith("_"):
                seen.add("warn", call, "object model", f"{which}: a private part of another object")
    elif (code.dotted(call.func) or "").rpartition(".")[2] in ("namedtuple", "make_dataclass", "TypedDict"):
        if not all(
            isinstance(n, ast.Constant | ast.List | ast.Tuple | ast.Name | ast.Load) for a in call.args for n in ast.walk(a)
        ):
            seen.add("warn", call, "object model", "makes a class out of names that are computed")
    elif name == "type" and len(call.args) > 1:
        seen.add("warn", call, "object model", "makes a class out of strings")
    elif isinstance(call.func, ast.Attribute) and call.func.attr in ("format", "format_map"):
        _format(seen, code, call, call.func)


def _format(seen: Look, code: Code, call: ast.Call, method: ast.Attribute) -> None:
    """A template of `str.format` can read attributes of what it is given."""
    if code.dotted(method) is not None:
        return
    template = code.text(method.value)
    if template is None:
        seen.add("refuse", call, "object model", "a template that is computed can read any attribute; write an f-string")
        return
    try:
        fields = [field for _, field, _, _ in Formatter().parse(template) if field]
    except ValueError:
        return
    for field in fields:
        for attr in re.findall(r"\.(\w+)", field):
            _attribute(seen, call, attr)
            if attr.startswith("_") or attr.lstrip("_") in ANYWHERE:
                seen.add("refuse", call, "object model", f"{attr} in a template: reads an attribute that does not show")
