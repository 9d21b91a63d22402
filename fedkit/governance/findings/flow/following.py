"""Variables, and calls that are followed into functions: what they are given, what they return, what they leave in it."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence

from fedkit.governance.findings.code import Code
from fedkit.governance.findings.flow import leaks
from fedkit.governance.findings.flow.calling import Calling
from fedkit.governance.findings.flow.carried import CODES, NOTHING, TEXTS, Carried, data, decides
from fedkit.governance.findings.flow.values import CACHE, PARTS, Frame

#: Calls within calls that are followed.
_DEEP = 12


class Following(Calling):
    """Functions and variables. `block` goes through statements."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self._calls: list[ast.AST] = []
        self._returns: list[list[tuple[ast.AST, Carried]]] = []
        self._known: dict[tuple[object, ...], tuple[Carried, Frame]] = {}
        self._entered: set[ast.AST] = set()
        self._entry: ast.AST | None = None

    def enter(self, word: str, given: Sequence[Carried], named: dict[str, Carried]) -> tuple[Carried, Frame]:
        """Follow a call of a local function: what it returns, and its parameters as they are afterwards."""
        self.step(4)
        node, around = self.callables[int(word[3:])]
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return NOTHING, {}
        if len(self._calls) >= _DEEP or node in self._calls:
            if any(g & {"branch", "weighed", "scaled"} for g in given):
                leaks.takes_long(self.seen, node)
            return data(frozenset[str]().union(*given, *named.values())), {}
        plain = len(around) == 1
        key = (node, tuple(given), tuple(sorted(named.items())), self.decided(), any(self.loops), self.inside_entry)
        if plain and key in self._known:
            return self._known[key]
        self._entered.add(node)
        frame = self._parameters(node.args, given, named)
        frames, self.frames = self.frames, [*around, frame]
        self._calls.append(node)
        self._returns.append([])
        try:
            if isinstance(node, ast.Lambda):
                self._returns[-1].append((node, self.value(node.body)))
            else:
                self.block(node.body)
        finally:
            frame = self.frames[-1]
            self.frames = frames
            self._calls.pop()
            returned = self._returns.pop()
        parameters = {a.arg: frame.get(a.arg, NOTHING) for a in [*node.args.posonlyargs, *node.args.args]}
        answer = frozenset[str]().union(*(carried for _, carried in returned)), parameters
        if plain:
            self._known[key] = answer
        if node is self._entry and len(self._calls) == 0:
            for at, carried in returned:
                if carried:
                    leaks.result(self.seen, at, "the result", "", carried - {"branch", "keys"})
        return answer

    def _parameters(self, spec: ast.arguments, given: Sequence[Carried], named: dict[str, Carried]) -> Frame:
        positional = [*spec.posonlyargs, *spec.args]
        frame: Frame = {a.arg: NOTHING for a in positional}
        for argument, default in zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True):
            frame[argument.arg] = self.value(default)
        for keyword, default_ in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            frame[keyword.arg] = self.value(default_)
        for argument, carried in zip(positional, given, strict=False):
            frame[argument.arg] = carried
        if spec.vararg:
            frame[spec.vararg.arg] = frozenset[str]().union(*given[len(positional) :])
        frame.update({k: v for k, v in named.items() if k in frame or (not spec.kwarg and k != "**")})
        if spec.kwarg:
            frame[spec.kwarg.arg] = frozenset[str]().union(*(v for k, v in named.items() if k not in frame))
        if "**" in named:
            frame = {name: carried | named["**"] for name, carried in frame.items()}
        return frame

    def bind(self, target: ast.AST, carried: Carried) -> None:
        match target:
            case ast.Name(id=name):
                self._frame_of(target)[name] = carried
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self.bind(element, carried)
            case ast.Starred(value=value):
                self.bind(value, carried)
            case ast.Attribute(value=owner):
                self._add(owner, carried)
            case ast.Subscript(value=owner, slice=at):
                self._item(owner, at, carried)

    def _frame_of(self, node: ast.Name) -> Frame:
        scope = self.code.scopes.where.get(node)
        if scope is not None and node.id in scope.globals:
            return self.frames[0]
        if scope is not None and node.id in scope.nonlocals:
            return next((f for f in reversed(self.frames[:-1]) if node.id in f), self.frames[-1])
        if node.id not in self.frames[-1]:
            home = self.code.scopes.home(node.id, scope) if scope else None
            if home is not None and home.kind != "comprehension" and scope is not None and home is not scope:
                return next((f for f in reversed(self.frames) if node.id in f), self.frames[-1])
        return self.frames[-1]

    def _add(self, owner: ast.expr, carried: Carried) -> None:
        """Something is put into what an expression stands for."""
        while isinstance(owner, ast.Attribute | ast.Subscript):
            if isinstance(owner, ast.Attribute) and owner.attr == "cache":
                self.frames[0][CACHE] = self.frames[0].get(CACHE, NOTHING) | carried
                return
            owner = owner.value
        if isinstance(owner, ast.Name):
            self._frame_of(owner)[owner.id] = self.value(owner) | carried

    def _item(self, owner: ast.expr, at: ast.expr, carried: Carried) -> None:
        part = self.code.text(at)
        if self.inside_entry and part in PARTS:
            leaks.result(self.seen, owner, str(part), "", carried)
            return
        key, words = self.value(at), set(data(carried))
        if key & {"id", "note", "index", "each"}:
            words |= {"each"} | ({"count"} if not words else set())
        elif key & TEXTS:
            words.add("keys")
            if not words - {"keys"} and any(self.loops):
                words |= {"count", "extreme"}
        elif key & CODES and any(self.loops) and not words:
            words |= {"count", "extreme"}
        self._add(owner, frozenset(words) | self.decided())

    def decided(self) -> Carried:
        """What the conditions around add to whatever is chosen here."""
        return frozenset[str]().union(*(decides(c) for c, _ in self.conditions))

    @abstractmethod
    def block(self, statements: Sequence[ast.stmt]) -> None:
        """Given further down the line of classes, which ends in `Flow`."""
