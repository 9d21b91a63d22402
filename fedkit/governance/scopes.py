"""Which binding a name means, by Python's own rules: functions, classes, comprehensions, `global`, `nonlocal`, walrus.

    scopes = Scopes(ast.parse("def f(open): return open(1)"))
    scopes.home("open", scopes.where[node])         # the function: not the builtin

Source: the Python language reference, section 4.2 (naming and binding).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(eq=False)
class Scope:
    """kind: "module", "function", "class" or "comprehension".   bound: names that it binds, in order of first sight."""

    node: ast.AST
    kind: str
    parent: Scope | None
    bound: dict[str, None] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)


class Scopes:
    """The scopes of a tree. where: node → the scope in which it is evaluated (a function's node: where it is defined)."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, "module", None)
        self.where: dict[ast.AST, Scope] = {}
        self.inside: dict[ast.AST, Scope] = {tree: self.module}
        todo: list[tuple[ast.AST, Scope]] = [(node, self.module) for node in reversed(tree.body)]
        while todo:
            node, scope = todo.pop()
            self.where[node] = scope
            self._bind(node, scope)
            todo.extend(reversed(list(self._children(node, scope))))

    def home(self, name: str, scope: Scope) -> Scope | None:
        """The scope whose variable a name means when it is used in `scope`; None if it is a builtin or unbound."""
        at: Scope | None = scope
        while at is not None:
            if name in at.globals:
                break
            if name in at.bound and name not in at.nonlocals and (at.kind != "class" or at is scope):
                return at
            at = at.parent
        return self.module if name in self.module.bound else None

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        for name in binds(node):
            home = scope
            if isinstance(node, ast.NamedExpr):
                while home.kind == "comprehension" and home.parent is not None:
                    home = home.parent
                self.where[node.target] = home
            (self.module if name in home.globals else home).bound.setdefault(name)
        if isinstance(node, ast.Global):
            scope.globals.update(node.names)
            self.module.bound.update(dict.fromkeys(node.names))
        elif isinstance(node, ast.Nonlocal):
            scope.nonlocals.update(node.names)

    def _children(self, node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        """Children with the scope in which each is evaluated."""
        if isinstance(node, _FUNCTIONS):
            new = self.inside[node] = Scope(node, "function", scope)
            arguments = node.args
            outside = [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]
            named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            named += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
            outside += [a.annotation for a in named if a.annotation is not None]
            if not isinstance(node, ast.Lambda):
                outside += [*node.decorator_list, *([node.returns] if node.returns else [])]
            yield from ((child, scope) for child in outside)
            self.where[arguments] = new
            for argument in named:
                self.where[argument] = new
                new.bound.setdefault(argument.arg)
            body = [node.body] if isinstance(node, ast.Lambda) else node.body
            yield from ((child, new) for child in body)
        elif isinstance(node, ast.ClassDef):
            new = self.inside[node] = Scope(node, "class", scope)
            yield from ((child, scope) for child in [*node.decorator_list, *node.bases, *node.keywords])
            yield from ((child, new) for child in node.body)
        elif isinstance(node, _COMPREHENSIONS):
            new = self.inside[node] = Scope(node, "comprehension", scope)
            for number, part in enumerate(node.generators):
                self.where[part] = new
                yield part.target, new
                yield part.iter, new if number else scope
                yield from ((test, new) for test in part.ifs)
            values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            yield from ((child, new) for child in values)
        elif isinstance(node, ast.NamedExpr):
            yield node.value, scope
        else:
            yield from ((child, scope) for child in ast.iter_child_nodes(node))


def binds(node: ast.AST) -> list[str]:
    """The names that a node binds by itself in the scope where it stands; parameters are not among them."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.NamedExpr(target=ast.Name(id=name)):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.Import(names=names):
            return [a.asname or a.name.partition(".")[0] for a in names]
        case ast.ImportFrom(names=names):
            return [a.asname or a.name for a in names]
    return []
