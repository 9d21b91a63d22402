"""A source as every rule looks at it: its tree, walked once, with the bindings of names and what imports stand for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar, overload

from fedkit.governance.request import Entry
from fedkit.governance.review import Finding
from fedkit.governance.scopes import Scope, Scopes

#: Texts are put together up to this length: what hides in pieces is short, and the look has to stay quick.
_LONG = 4_000

Node = TypeVar("Node", bound=ast.AST)
Other = TypeVar("Other", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Code:
    """Raises SyntaxError, ValueError, RecursionError or MemoryError if the source cannot be read.

    entries: those of the request, if it is known.
    """

    def __init__(self, source: str, entries: Sequence[Entry] = ()) -> None:
        self.source, self.entries = source, tuple(entries)
        self.tree = ast.parse(source)
        self.scopes = Scopes(self.tree)
        self.parents: dict[ast.AST, ast.AST] = {}
        self._nodes: dict[type[ast.AST], list[ast.AST]] = {}
        todo: list[ast.AST] = [self.tree]
        for node in todo:
            self._nodes.setdefault(type(node), []).append(node)
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
                todo.append(child)

    @overload
    def of(self, kind: type[Node], /) -> Iterator[Node]: ...
    @overload
    def of(self, kind: type[Node], other: type[Other], /) -> Iterator[Node | Other]: ...
    @overload
    def of(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]: ...
    def of(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """All nodes of these types."""
        for kind in kinds:
            yield from self._nodes.get(kind, ())

    def home(self, node: ast.AST, name: str) -> Scope | None:
        """The scope that binds a name where this node stands; None if none does: a builtin."""
        scope = self.scopes.where.get(node)
        return self.scopes.home(name, scope) if scope else None

    def shadowed(self, node: ast.AST, name: str) -> bool:
        """Whether a builtin's name surely means something else here.

        In a function Python never falls back to the builtin. At top level it does while the name is not bound yet, or no more:
        only a definition that stands there for good counts.
        """
        home = self.home(node, name)
        if home is None or home.kind == "class":
            return False
        if home.kind != "module":
            return True
        defined = [n for n in self.tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name]
        unbound = any(n.id == name and isinstance(n.ctx, ast.Del) for n in self.of(ast.Name))
        return bool(defined) and not unbound and not any(name in n.names for n in self.of(ast.Global))

    @cached_property
    def imported(self) -> dict[tuple[Scope, str], str]:
        """(scope, local name) → dotted name of what an import, or `a = np`, makes it stand for."""
        names = {(self.scopes.where[n], local): full for n in self.of(ast.Import) for local, full in _imports(n)}
        names |= {
            (self.scopes.where[n], a.asname or a.name): f"{n.module or ''}.{a.name}"
            for n in self.of(ast.ImportFrom)
            for a in n.names
        }
        for _ in range(3):  # a = np; b = a.linalg
            for key, value in self._aliases:
                if key not in names and (full := self._dotted(value, names)):
                    names[key] = full
        return names

    @cached_property
    def modules(self) -> frozenset[tuple[Scope, str]]:
        """(scope, local name) of what `import` binds: surely modules."""
        return frozenset((self.scopes.where[n], local) for n in self.of(ast.Import) for local, _ in _imports(n))

    @cached_property
    def _aliases(self) -> list[tuple[tuple[Scope, str], ast.expr]]:
        pairs: list[tuple[ast.AST, str, ast.expr]] = []
        pairs += [(n.targets[0], n.targets[0].id, n.value) for n in self.of(ast.Assign) if isinstance(n.targets[0], ast.Name)]
        pairs += [(n.target, n.target.id, n.value) for n in self.of(ast.NamedExpr)]
        for node in self.of(ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            given = list(zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True))
            given += [(a, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d is not None]
            pairs += [(a, a.arg, d) for a, d in given]
        plain = [(self.home(n, name), name, value) for n, name, value in pairs if isinstance(value, ast.Name | ast.Attribute)]
        return [((home, name), value) for home, name, value in plain if home is not None]

    def dotted(self, node: ast.AST) -> str | None:
        """What an expression reaches by attributes alone, starting from an import: "numpy.linalg.norm"."""
        return self._dotted(node, self.imported)

    def _dotted(self, node: ast.AST, names: dict[tuple[Scope, str], str]) -> str | None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        home = self.home(node, node.id) if isinstance(node, ast.Name) else None
        full = names.get((home, node.id)) if home is not None and isinstance(node, ast.Name) else None
        return ".".join([full, *reversed(parts)]) if full else None

    def is_module(self, node: ast.Name) -> bool:
        home = self.home(node, node.id)
        return home is not None and (home, node.id) in self.modules

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions at top level by name, the last one where there are several, as in Python."""
        return {n.name: n for n in self.tree.body if isinstance(n, Function)}

    @cached_property
    def entry_names(self) -> frozenset[str]:
        """Functions that a site may call: those of the request, or all that look like it."""
        if self.entries:
            return frozenset(e.name for e in self.entries)
        return frozenset(
            n for n, f in self.functions.items() if [a.arg for a in f.args.args] == ["notes", "weights", "settings"]
        )

    @cached_property
    def docstrings(self) -> frozenset[ast.AST]:
        """Constants that stand alone: docstrings and notes to the reader."""
        return frozenset(n.value for n in self.of(ast.Expr) if isinstance(n.value, ast.Constant))

    @cached_property
    def constants(self) -> dict[str, str]:
        """Texts that a name at top level stands for and nothing rebinds."""
        found: dict[str, list[str | None]] = {}
        for node in self.of(ast.Name):
            if not isinstance(node.ctx, ast.Load) and self.home(node, node.id) is self.scopes.module:
                at = self.parents[node]
                value = at.value if isinstance(at, ast.Assign | ast.AnnAssign) and at in self.tree.body else None
                text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
                found.setdefault(node.id, []).append(text)
        return {name: texts[0] for name, texts in found.items() if len(texts) == 1 and texts[0] is not None}

    def text(self, node: ast.AST | None) -> str | None:
        """The text that an expression is bound to give, put together from its pieces; None if that does not show."""
        match node:
            case ast.Constant(value=str(value)):
                return value
            case ast.Constant(value=bytes(value)):
                return value.decode("latin-1")
            case ast.Name(id=name) if self.home(node, name) is self.scopes.module:
                return self.constants.get(name)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self.text(left), self.text(right)])
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                pieces = [self.text(r) for r in (right.elts if isinstance(right, ast.Tuple) else [right])]
                form = self.text(left)
                return None if form is None or None in pieces else _filled(form, [p or "" for p in pieces])
            case ast.JoinedStr(values=values):
                return _joined([self.text(v.value if isinstance(v, ast.FormattedValue) else v) for v in values])
            case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub()))):
                whole = self.text(value)
                return None if whole is None else whole[::-1]
            case ast.Call(func=ast.Name(id="chr"), args=[ast.Constant(value=int(value))]) if 0 <= value < 0x110000:
                return chr(value)
            case ast.Call(func=ast.Attribute(value=value, attr=name), args=arguments):
                return self._method(self.text(value), name, arguments)
        return None

    def _method(self, text: str | None, name: str, arguments: list[ast.expr]) -> str | None:
        if text is None:
            return None
        if name == "join" and len(arguments) == 1:
            parts = arguments[0].elts if isinstance(arguments[0], ast.List | ast.Tuple) else []
            pieces = [self.text(p) for p in parts] if parts else list(self.text(arguments[0]) or "")
            return _joined([p for piece in pieces for p in (text, piece)][1:])
        given = [self.text(a) for a in arguments]
        if None in given:
            return None
        words = [g or "" for g in given]
        if name == "replace" and len(words) == 2 and len(text) * (len(words[1]) + 1) < _LONG**2:
            return text.replace(words[0], words[1])
        if name == "format":
            return _filled(text.replace("{}", "%s"), words) if "{}" in text else text
        changes: dict[str, Callable[[], str]] = {"lower": text.lower, "upper": text.upper, "strip": text.strip}
        changes |= {"title": text.title, "swapcase": text.swapcase, "encode": lambda: text, "decode": lambda: text}
        return changes[name]() if name in changes else None


class Look:
    """What one rule module has found; `add` takes the line of a node."""

    def __init__(self) -> None:
        self.found: set[Finding] = set()

    def add(self, level: str, node: ast.AST | int, rule: str, message: str) -> None:
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        self.found.add(Finding(level, line, rule, message))


def _imports(node: ast.Import) -> list[tuple[str, str]]:
    """Local name and what it stands for."""
    return [(a.asname, a.name) if a.asname else (a.name.partition(".")[0],) * 2 for a in node.names]


def _joined(pieces: list[str | None]) -> str | None:
    if not pieces or None in pieces or sum(len(p or "") for p in pieces) > _LONG:
        return None
    return "".join(p or "" for p in pieces)


def _filled(form: str, pieces: list[str]) -> str | None:
    """A template whose only fields are %s."""
    parts = form.replace("%%", "\0").split("%s")
    if len(parts) != len(pieces) + 1 or any("%" in p for p in parts):
        return None
    joined = _joined([p for pair in zip(parts, [*pieces, ""], strict=True) for p in pair])
    return None if joined is None else joined.replace("\0", "%")
