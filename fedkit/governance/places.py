"""Where two definitions of one name differ: the smallest pieces, with their lines on both sides.

Statements are aligned first, by what they say apart from local names; then those that face each other are compared piece by
piece. A local variable may have another name as long as it has it everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from fedkit.governance.meaning import Imported, Unit, fields, lines_of, shown
from fedkit.governance.scopes import Scope, binds

Lines = tuple[int, int]

#: With more pieces than this that differ in one statement, the statement as a whole is what changed.
MOST = 4

_OPERATORS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_SIGNS: dict[type[ast.AST], str] = {
    **{
        ast.Add: "+",
        ast.Sub: "-",
        ast.Mult: "*",
        ast.Div: "/",
        ast.FloorDiv: "//",
        ast.Mod: "%",
        ast.Pow: "**",
        ast.MatMult: "@",
    },
    **{ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&"},
    **{ast.And: "and", ast.Or: "or", ast.Not: "not", ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"},
    **{ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="},
    **{ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"},
}


@dataclass(frozen=True)
class Place:
    """kind: "constant", "call", "operator", "expression", "statement", or "function" where a signature differs."""

    kind: str
    says: str
    old_lines: Lines | None
    new_lines: Lines | None


def places(old: Unit, new: Unit) -> list[Place]:
    """Where two units of the same name differ; at least one place if their meanings do."""
    found = list(_Comparison(old, new).nodes(old.node, new.node, old.lines, new.lines))
    return found or [Place("statement", "something changed that shows in no single place", old.lines, new.lines)]


class _Comparison:
    def __init__(self, old: Unit, new: Unit) -> None:
        self.old, self.new = old, new
        self.forth: dict[tuple[Scope, str], str] = {}
        self.back: dict[tuple[Scope, str], str] = {}
        self.kept = set(_locals(old)) & set(_locals(new))

    def nodes(self, a: ast.AST, b: ast.AST, at: Lines, to: Lines) -> Iterator[Place]:
        """at, to: lines of the closest node around that has some."""
        at, to = (lines_of(a) if hasattr(a, "lineno") else at), (lines_of(b) if hasattr(b, "lineno") else to)
        if type(a) is not type(b):
            yield self._differ(a, b, at, to)
            return
        if isinstance(a, ast.Call) and isinstance(b, ast.Call) and not self._same(a.func, b.func):
            if type(a.func) is type(b.func) and not isinstance(a.func, ast.Name | ast.Attribute | Imported):
                yield from self.nodes(a.func, b.func, at, to)
            else:
                yield Place("call", f"`{shown(b.func)}` is called instead of `{shown(a.func)}`", at, to)
            a, b = _arguments(a), _arguments(b)
        mine, theirs = dict(fields(a)), dict(fields(b))
        if any(not self._fits(a, b, k, mine[k], theirs[k]) for k in mine):
            yield self._differ(a, b, at, to)
            return
        for key, value in mine.items():
            other = theirs[key]
            if isinstance(value, list) and isinstance(other, list):
                if any(isinstance(v, ast.stmt) for v in [*value, *other]):
                    yield from self._statements(value, other, at, to)
                else:
                    for left, right in zip(value, other, strict=True):
                        if isinstance(left, ast.AST) and isinstance(right, ast.AST):
                            yield from self.nodes(left, right, at, to)
            elif isinstance(value, ast.AST) and isinstance(other, ast.AST):
                yield from self.nodes(value, other, at, to)

    def _fits(self, a: ast.AST, b: ast.AST, key: str, value: object, other: object) -> bool:
        """Whether a field can be compared further down, or is the same."""
        if isinstance(value, list) and isinstance(other, list):
            if any(isinstance(v, ast.stmt) for v in [*value, *other]):
                return True
            return len(value) == len(other) and all(
                isinstance(v, ast.AST) == isinstance(w, ast.AST) and (isinstance(v, ast.AST) or v == w)
                for v, w in zip(value, other, strict=True)
            )
        if isinstance(value, ast.AST) or isinstance(other, ast.AST):
            return isinstance(value, ast.AST) and isinstance(other, ast.AST)
        if isinstance(value, str) and isinstance(other, str) and (isinstance(a, ast.Name | ast.arg) or value in binds(a)):
            return self._names(a, b, value, other)
        return type(value) is type(other) and value == other

    def _names(self, a: ast.AST, b: ast.AST, name: str, other: str) -> bool:
        """Whether two names mean the same: both local, and always facing each other; or both the same otherwise."""
        home, theirs = self.old.program.local(a, name), self.new.program.local(b, other)
        if home is None or theirs is None:
            return home is theirs and name == other
        if name != other and (name in self.kept or other in self.kept):
            return False
        return self.forth.setdefault((home, name), other) == other and self.back.setdefault((theirs, other), name) == name

    def _same(self, a: ast.AST, b: ast.AST) -> bool:
        forth, back = dict(self.forth), dict(self.back)
        same = next(self.nodes(a, b, (0, 0), (0, 0)), None) is None
        if not same:
            self.forth, self.back = forth, back
        return same

    def _statements(self, old: list[ast.stmt], new: list[ast.stmt], at: Lines, to: Lines) -> Iterator[Place]:
        left = [self.old.program.text(s, names=False) for s in old]
        right = [self.new.program.text(s, names=False) for s in new]
        if len(left) == len(right) and 2 * sum(a != b for a, b in zip(left, right, strict=True)) <= max(len(left), 2):
            steps = [("equal", 0, len(left), 0, len(right))]  # they face each other; those that differ are few
        else:
            steps = list(SequenceMatcher(None, left, right, autojunk=False).get_opcodes())
        for tag, i, j, k, m in steps:
            pairs = min(j - i, m - k) if tag != "equal" else j - i
            for a, b in zip(old[i : i + pairs], new[k : k + pairs], strict=True):
                if type(a) is type(b):
                    yield from self._statement(a, b, at, to)
                else:
                    yield Place("statement", f"`{shown(a)}` became `{shown(b)}`", lines_of(a), lines_of(b))
            for a in old[i + pairs : j]:
                yield Place("statement", f"`{shown(a)}` is gone", lines_of(a), None)
            for b in new[k + pairs : m]:
                yield Place("statement", f"`{shown(b)}` is new", None, lines_of(b))

    def _statement(self, a: ast.stmt, b: ast.stmt, at: Lines, to: Lines) -> Iterator[Place]:
        found = list(self.nodes(a, b, at, to))
        if len(found) > MOST and not hasattr(a, "body"):
            found = [Place("statement", f"`{shown(a)}` became `{shown(b)}`", lines_of(a), lines_of(b))]
        yield from found

    def _differ(self, a: ast.AST, b: ast.AST, at: Lines, to: Lines) -> Place:
        if isinstance(a, _OPERATORS) and isinstance(b, _OPERATORS):
            return Place("operator", f"`{_SIGNS[type(a)]}` became `{_SIGNS[type(b)]}`", at, to)
        if isinstance(a, ast.arguments) or isinstance(b, ast.arguments):
            return Place("function", f"the parameters `{shown(a)}` became `{shown(b)}`", at, to)
        kind = "constant" if isinstance(a, ast.Constant) and isinstance(b, ast.Constant) else "expression"
        return Place(kind, f"`{_text(a)}` became `{_text(b)}`", at, to)


def _arguments(call: ast.Call) -> ast.AST:
    """The arguments of a call alone, so that its function is not compared a second time."""
    return ast.copy_location(ast.Call(ast.Constant(None), call.args, call.keywords), call)


def _text(node: ast.AST) -> str:
    if isinstance(node, _OPERATORS):
        return _SIGNS[type(node)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return f"def {node.name}({shown(node.args)})"
    return shown(node)


def _locals(unit: Unit) -> Iterator[str]:
    """The names of the local variables in a unit."""
    for node in ast.walk(unit.node):
        for name in binds(node) + ([node.arg] if isinstance(node, ast.arg) else []):
            if unit.program.local(node, name) is not None:
                yield name
