"""A source as what it means: its units without layout, comments, docstrings, spelling of imports and names of local variables.

Two sources whose units are equal do the same. That is sound in one direction only: units that differ may still do the same
(`a + b` and `b + a`), and then they are shown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fedkit.governance.scopes import Scope, Scopes, binds

#: Fields that carry no meaning: how a name is used follows from where it stands, the others are layout.
_LAYOUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


@dataclass(eq=False)
class Unit:
    """A top-level definition, or a method. kind: "function", "class", "constant" or "code".

    name: with the class before it, "Model.forward"; the same name twice is numbered, since the later one counts.
    """

    kind: str
    name: str
    node: ast.stmt
    program: Program

    @cached_property
    def meaning(self) -> str:
        """The same text for the same meaning."""
        return self.program.text(self.node)

    @property
    def lines(self) -> tuple[int, int]:
        return lines_of(self.node)

    @property
    def calls(self) -> list[str]:
        """What it calls, by name, in order."""
        return list(dict.fromkeys(shown(n.func, 40) for n in ast.walk(self.node) if isinstance(n, ast.Call)))


class Program:
    """A source, read. Raises SyntaxError, ValueError or RecursionError if that cannot be done.

    units: name → unit, in the order of the source.   imports: dotted names, whatever they are called here.
    """

    def __init__(self, source: str) -> None:
        tree = ast.parse(source)
        self.scopes = Scopes(tree)
        self.imports: dict[str, int] = {}
        self._aliases = self._imported(tree)
        self._plain = _Plain(self)
        body = self._plain.body(tree.body)
        self.units: dict[str, Unit] = {}
        for unit in self._units(body, ""):
            name, number = unit.name, 2
            while unit.name in self.units:
                unit.name, number = f"{name} ({number})", number + 1
            self.units[unit.name] = unit

    # -- names
    def local(self, node: ast.AST, name: str) -> Scope | None:
        """The function or comprehension whose variable this is, if only the name of it is free to choose."""
        scope = self.scopes.where.get(node)
        home = self.scopes.home(name, scope) if scope else None
        return (
            home if home is not None and home.kind in ("function", "comprehension") and not _is_parameter(name, home) else None
        )

    def dotted(self, node: ast.Name) -> str | None:
        """What a name stands for if an import at top level is all that binds it."""
        scope = self.scopes.where.get(node)
        if node.id in self._aliases and scope and self.scopes.home(node.id, scope) is self.scopes.module:
            return self._aliases[node.id]
        return None

    def _imported(self, tree: ast.Module) -> dict[str, str]:
        """Local name → dotted name, of imports at top level whose name nothing else binds."""
        names: dict[str, str] = {}
        times: dict[str, int] = {}
        for node, scope in self.scopes.where.items():
            if scope is self.scopes.module:
                for name in binds(node):
                    times[name] = times.get(name, 0) + 1
            for name in scope.globals:
                times[name] = times.get(name, 0) + 1
            if isinstance(node, ast.Import | ast.ImportFrom):
                before = f"{'.' * node.level}{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
                for alias in node.names:
                    self.imports.setdefault(before + alias.name, node.lineno)
        for statement in tree.body:
            if isinstance(statement, ast.Import):
                for alias in statement.names:
                    names[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    names[alias.asname or alias.name] = f"{'.' * statement.level}{statement.module or ''}.{alias.name}"
        return {name: full for name, full in names.items() if times.get(name, 0) <= 1 and "*" not in full}

    def called(self, name: str) -> bool:
        """Whether a name of the top level is used anywhere, so that to rename it alone would change something."""
        return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in self.scopes.where)

    def loaded(self) -> list[str]:
        """The units whose order matters, in their order: code that runs at loading, and what is used while loading."""
        names = {unit.name.partition(" (")[0]: [] for unit in self.units.values()}  # type: dict[str, list[str]]
        for key in self.units:
            names[key.partition(" (")[0]].append(key)
        code = any(unit.kind == "code" for unit in self.units.values())
        kept: set[str] = set()
        for key, unit in self.units.items():
            used = {n.id for part in _at_loading(unit) for n in ast.walk(part) if isinstance(n, ast.Name)} & names.keys()
            used -= {unit.name.partition(" (")[0]}
            if used or (code and unit.kind != "function"):
                kept |= {key, *(k for name in used for k in names[name])}
        return [key for key in self.units if key in kept]

    # -- units
    def _units(self, body: list[ast.stmt], within: str) -> Iterator[Unit]:
        for statement in body:
            match statement:
                case ast.Import() | ast.ImportFrom() if not within:
                    continue
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    yield Unit("function", within + name, statement, self)
                case ast.ClassDef(name=name):
                    yield from self._units([s for s in statement.body if _is_function(s)], f"{within}{name}.")
                    statement.body = [s for s in statement.body if not _is_function(s)]
                    yield Unit("class", within + name, statement, self)
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if not within:
                    yield Unit("constant", name, statement, self)
                case _:
                    yield Unit("code", f"{within}code", statement, self)

    def text(self, node: ast.AST, *, names: bool = True) -> str:
        """The node as text without layout; local variables by the order in which they are first met, or all as one."""
        numbers: dict[tuple[int, str], int] = {}
        parts: list[str] = []

        def name_of(at: ast.AST, name: str) -> str:
            home = self.local(at, name)
            if home is None:
                return repr(name)
            return f"${numbers.setdefault((id(home), name), len(numbers))}" if names else "$"

        def write(at: object) -> None:
            if isinstance(at, list):
                parts.append("[")
                for child in at:
                    write(child)
                parts.append("]")
            elif isinstance(at, ast.AST):
                parts.append(f"{type(at).__name__}(")
                own = binds(at)
                for _, value in fields(at):
                    if isinstance(value, str) and (value in own or isinstance(at, ast.Name | ast.arg)):
                        parts.append(name_of(at, value) + ";")
                    else:
                        write(value)
                parts.append(")")
            else:
                parts.append(f"{type(at).__name__}:{at!r};" if isinstance(at, int | float | complex) else f"{at!r};")

        write(node)
        return "".join(parts)


class _Plain:
    """Takes out of a tree, in place, what means nothing, and spells names of imports out."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        kept = [s for s in statements if not isinstance(s, ast.Pass) and not _says_nothing(s)]
        for statement in kept:
            self.node(statement)
        return kept

    def node(self, node: ast.AST) -> None:
        for key, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, key, self.body(value))
            elif isinstance(value, list):
                setattr(node, key, [self.expression(v) if isinstance(v, ast.AST) else v for v in value])
            elif isinstance(value, ast.AST):
                setattr(node, key, self.expression(value))

    def expression(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            value = self.expression(node.value)
            if isinstance(value, Imported):
                return Imported(f"{value.name}.{node.attr}", node)
            node.value = value  # type: ignore[assignment]
            return node
        if isinstance(node, ast.Name) and (full := self.program.dotted(node)):
            return Imported(full, node)
        self.node(node)
        return node


class Imported(ast.expr):
    """`np.sum` after `import numpy as np`, and `total` after `from numpy import sum as total`: numpy.sum."""

    _fields = ("name",)

    def __init__(self, name: str, at: ast.expr) -> None:
        super().__init__()
        self.name = name
        ast.copy_location(self, at)


def fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The fields of a node that mean something."""
    return ((key, value) for key, value in ast.iter_fields(node) if key not in _LAYOUT)


def lines_of(node: ast.AST) -> tuple[int, int]:
    """First and last line, decorators included, 1-based."""
    first = getattr(node, "lineno", 1)
    first = min([first, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return first, getattr(node, "end_lineno", None) or first


def shown(node: ast.AST, most: int = 70) -> str:
    """A node on one line, for a sentence."""
    if isinstance(node, Imported):
        return node.name
    text = " ".join(ast.unparse(_printable(node)).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _printable(node: ast.AST) -> ast.AST:
    """A copy that `ast.unparse` can print: names of imports as names, a body that holds something."""
    if isinstance(node, Imported):
        return ast.Name(node.name, ast.Load())
    copy = type(node)()
    for key in (*node._fields, *node._attributes):
        value = getattr(node, key, None)
        if isinstance(value, list):
            value = [_printable(v) if isinstance(v, ast.AST) else v for v in value]
            if not value and key == "body":
                value = [ast.Pass()]
        elif isinstance(value, ast.AST):
            value = _printable(value)
        setattr(copy, key, value)
    return copy


def _at_loading(unit: Unit) -> list[ast.AST]:
    """The parts of a unit that are evaluated when the source is loaded."""
    if not isinstance(unit.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [unit.node]
    arguments = unit.node.args
    return [*unit.node.decorator_list, *arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]


def _is_function(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)


def _is_parameter(name: str, home: Scope) -> bool:
    """Parameters of a `def` can be given by name, so their names mean something; those of a lambda rarely do."""
    if not isinstance(home.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    a = home.node.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs, *([a.vararg] if a.vararg else []), *([a.kwarg] if a.kwarg else [])]
    return any(argument.arg == name for argument in named)


def _says_nothing(statement: ast.stmt) -> bool:
    """A docstring, or another constant that stands alone."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
