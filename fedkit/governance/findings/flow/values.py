"""What expressions carry. One method for each kind of expression; calls of local functions are followed into them."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.findings.flow import leaks
from fedkit.governance.findings.flow.carried import (
    CODES,
    NOTHING,
    TEXTS,
    Carried,
    attribute,
    data,
    decides,
    element,
    over_notes,
    packed,
    tested,
)

PARTS = ("tensors", "numbers", "tables")


_TRIGGERS = frozenset({"round", "rounds", "site", "execution", "mock", "call", "user", "step"})


Frame = dict[str, Carried]

#: Under this name, which no variable can have, stands what was put into `notes.cache`.
CACHE = "notes.cache"


#: A slice up to here picks single notes; beyond it, it limits how many there are.
FEW = 50

#: The part of a date that is a category.
YEAR_AND_MONTH = 7


class TooTangled(Exception):
    """More steps than a look may take."""


class Values(ABC):
    """Expressions. frames: variables of the module and of the functions that are being followed, innermost last."""

    #: Steps (about one for each expression looked at) for one source, so that the look stays quick whatever is written.
    MOST = 30_000

    def __init__(self, code: Code) -> None:
        self.code, self.seen = code, Look()
        self.frames: list[Frame] = [{}]
        self.conditions: list[tuple[Carried, int]] = []
        self.loops: list[bool] = []  # for each loop around, whether it goes over notes
        self.callables: list[tuple[ast.AST, tuple[Frame, ...]]] = []
        self.classes: dict[str, dict[str, str]] = {}
        self.inside_entry = False
        self.may_fail = False  # whether something was called that fails by what a text holds
        self.steps = 0
        self._kinds: dict[type[ast.AST], Callable[..., Carried]] = {
            ast.Name: self._name, ast.Attribute: self._attribute, ast.Subscript: self._subscript, ast.Call: self._call,
            ast.BinOp: self._binary, ast.BoolOp: self._any_of, ast.Compare: self._compare, ast.IfExp: self._if,
            ast.UnaryOp: self._unary, ast.Dict: self._dict, ast.Lambda: self._lambda, ast.NamedExpr: self._walrus,
            ast.ListComp: self._comprehension, ast.SetComp: self._comprehension, ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension, ast.Constant: lambda node: NOTHING,
        }  # fmt: skip

    def value(self, node: ast.AST | None) -> Carried:
        """What an expression carries. Raises TooTangled."""
        if node is None:
            return NOTHING
        self.step()
        known = self._kinds.get(type(node))
        return known(node) if known is not None else self._any_of(node)

    def step(self, much: int = 1) -> None:
        """Raises TooTangled once the look has taken long enough."""
        self.steps += much
        if self.steps > self.MOST:
            raise TooTangled

    def _any_of(self, node: ast.AST) -> Carried:
        found: set[str] = set()
        for child in ast.iter_child_nodes(node):
            found |= self.value(child)
        return frozenset(found)

    # -- names and their parts
    def _name(self, node: ast.Name) -> Carried:
        for frame in reversed(self.frames):
            if node.id in frame:
                return frame[node.id]
        return NOTHING

    def _attribute(self, node: ast.Attribute) -> Carried:
        owner = self.value(node.value)
        if node.attr == "cache" and "set" in owner:
            return self.frames[0].get(CACHE, NOTHING) | {"cache"}
        for word in sorted(owner):
            if word.startswith("is:") and node.attr in self.classes.get(word[3:], {}):
                return plain(owner) | {self.classes[word[3:]][node.attr]}
        return attribute(owner, node.attr)

    def _subscript(self, node: ast.Subscript) -> Carried:
        owner, at = self.value(node.value), self.value(node.slice)
        if isinstance(node.value, ast.Attribute) and node.value.attr == "cache" and "cache" in owner:
            return owner
        if isinstance(node.slice, ast.Slice):
            upper = node.slice.upper.value if isinstance(node.slice.upper, ast.Constant) else None
            if "date" in owner and isinstance(upper, int) and upper <= YEAR_AND_MONTH:
                return (owner - {"date"}) | {"tag"}
            few = isinstance(upper, int) and upper < FEW
            return owner | {"single"} if few and over_notes(owner) else owner
        if isinstance(node.slice, ast.Tuple) and node.slice.elts and isinstance(node.slice.elts[0], ast.Slice):
            return owner  # x[:, 0]: a column, of all rows
        found = element(owner) if over_notes(owner) or "grouped" in owner else owner - {"keys"}
        if (over_notes(owner) and not data(at)) or "single" in at:
            found |= {"single"}
        if at & (TEXTS | CODES) and not data(owner):
            return found | {"code"} | (at & {"single", "each"})
        if at & {"test", "branch"} and isinstance(node.value, ast.List | ast.Tuple | ast.Dict) and self.alone(node):
            leaks.fails(self.seen, node)
        if "test" in at and not data(owner):
            return found | {"branch"}
        return found

    def alone(self, node: ast.AST) -> bool:
        """Whether an expression is a statement by itself, so that all it can do is fail."""
        return isinstance(self.code.parents.get(node), ast.Expr)

    def _walrus(self, node: ast.NamedExpr) -> Carried:
        found = self.value(node.value)
        self.bind(node.target, found)
        return found

    # -- operators
    def _binary(self, node: ast.BinOp) -> Carried:
        left, right = self.value(node.left) - {"length"}, self.value(node.right) - {"length"}
        found = left | right
        if isinstance(node.op, ast.Add | ast.BitOr | ast.Sub | ast.BitXor):
            return found | packed(left, right) if "scaled" in found else found
        scales = isinstance(node.op, ast.LShift) or (isinstance(node.op, ast.Mult | ast.MatMult) and _is_power(node))
        if scales and data(found):
            return found | ({"packed"} if found & CODES else {"weighed"} if found & {"test", "branch"} else {"scaled"})
        if isinstance(node.op, ast.Mult):
            literal = [
                s for s in (node.left, node.right) if isinstance(s, ast.List | ast.Tuple) or self.code.text(s) is not None
            ]
            if literal and found & {"branch", "weighed", "scaled"}:
                leaks.takes_much(self.seen, node)
            if literal and found & (CODES | {"test"}):
                return found | {"packed" if found & CODES else "weighed"}
            if _whole(node.left) or _whole(node.right):
                return found | {"scaled"} if found & (CODES | {"test", "branch", "count"}) else found
        if isinstance(node.op, ast.MatMult) and "each" in found and not found & CODES:
            return (found - {"each"}) | {"count"}
        if isinstance(node.op, ast.Div | ast.Mod | ast.FloorDiv) and right & {"test"} and not right & {"count"}:
            leaks.fails(self.seen, node)
        return found

    def _unary(self, node: ast.UnaryOp) -> Carried:
        found = self.value(node.operand)
        return tested(found) if isinstance(node.op, ast.Not) else found

    def _compare(self, node: ast.Compare) -> Carried:
        sides = [node.left, *node.comparators]
        carried = [self.value(s) for s in sides]
        whole = frozenset[str]().union(*carried)
        fixed = [s for s in sides if self._is_given(s)]
        exact = any(isinstance(op, ast.Eq | ast.In) for op in node.ops)
        if fixed and (whole & {"id", "index"} or ("date" in whole and exact)):
            leaks.singles_out(self.seen, node)
        elif fixed and "text" in whole:
            for side in fixed:
                if (text := self.code.text(side)) is not None:
                    leaks.searches(self.seen, node, text)
        self._trigger(sides)
        return tested(whole)

    def _is_given(self, node: ast.expr) -> bool:
        """Whether a value stands in the source, in settings or in weights: somebody outside chose it."""
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return bool(node.elts) and all(self._is_given(e) for e in node.elts)
        while isinstance(node, ast.Subscript | ast.Attribute | ast.Call) and self.code.text(node) is None:
            node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Name) and node.id in ("settings", "weights"):
            return True
        return bool(self.code.text(node))

    def _trigger(self, sides: Sequence[ast.expr]) -> None:
        """`settings["round"] == 7`: another behaviour in one round, at one site."""
        if not all(isinstance(s, ast.Subscript | ast.Constant | ast.Call) for s in sides):
            return
        for side in sides:
            owner, at = (side.value, side.slice) if isinstance(side, ast.Subscript) else (None, None)
            if isinstance(side, ast.Call) and isinstance(side.func, ast.Attribute) and side.func.attr == "get" and side.args:
                owner, at = side.func.value, side.args[0]
            name = self.code.text(at)
            if isinstance(owner, ast.Name) and owner.id == "settings" and name in _TRIGGERS:
                leaks.chosen_outside(self.seen, side, name or "")

    def _if(self, node: ast.IfExp) -> Carried:
        condition = self.value(node.test)
        return self.value(node.body) | self.value(node.orelse) | decides(tested(condition))

    # -- collections
    def _dict(self, node: ast.Dict) -> Carried:
        found: set[str] = set()
        for key, child in zip(node.keys, node.values, strict=True):
            part = self.code.text(key)
            if self.inside_entry and part in PARTS:
                self.gives(str(part), child)
                continue
            if key is not None and self.value(key) & TEXTS:
                found.add("keys")
            found |= self.value(child)
        return frozenset(found)

    def gives(self, part: str, node: ast.expr) -> None:
        """Something is given back under tensors, numbers or tables."""
        if isinstance(node, ast.Dict):
            for key, child in zip(node.keys, node.values, strict=True):
                name = "" if key is None else self.code.text(key) or ast.unparse(key)[:40]
                leaks.result(self.seen, child, part, name, self.value(child) | (self.value(key) & CODES))
        else:
            carried = self.value(node)
            leaks.result(self.seen, node, part, "", (carried - {"keys"}) if part == "tables" else carried)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Carried:
        self.frames.append({})
        notes, some, extra = False, False, NOTHING
        entered = 0
        try:
            for part in node.generators:
                iterated = self.value(part.iter)
                notes, some = notes or over_notes(iterated), some or bool(data(iterated))
                self.bind_elements(part.target, part.iter, iterated)
                self.loops.append(over_notes(iterated))
                entered += 1
                for test in part.ifs:
                    extra |= self.value(test) & {"single", "extreme", "chance"}
            if isinstance(node, ast.DictComp):
                key, found = self.value(node.key), self.value(node.value)
                found |= {"keys"} if key & TEXTS else NOTHING
                found |= key & CODES
            else:
                found = self.value(node.elt)
        finally:
            self.frames.pop()
            del self.loops[len(self.loops) - entered :]
        if some and not data(found):
            found |= {"count"}
        if isinstance(node, ast.SetComp) and "tag" in found and not found & TEXTS:
            return (found - {"each"}) | extra  # a set of categories has no order
        return found | extra | ({"each"} if notes else NOTHING)

    def bind_elements(self, target: ast.expr, node: ast.expr, iterated: Carried) -> None:
        """The target of a loop over `node`."""
        while isinstance(node, ast.Call) and name_of(node) in ("sorted", "list", "tuple", "reversed", "iter") and node.args:
            node = node.args[0]
        name = name_of(node)
        if isinstance(target, ast.Tuple | ast.List) and isinstance(node, ast.Call) and len(target.elts) == 2 and node.args:
            first, second = target.elts
            if name == "enumerate":
                self.bind(
                    first, frozenset({"index"}) if over_notes(iterated) else frozenset({"count"}) if data(iterated) else NOTHING
                )
                self.bind(second, element(iterated))
                return
            if name == "groupby":
                key = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "key"), None)
                made = self.applied(key, element(iterated))
                self.bind(first, frozenset({"text"}) if made & {"text"} else NOTHING)
                self.bind(second, element(iterated) | {"each"})
                return
            if name == "zip" and len(node.args) == 2:
                for one, source in zip(target.elts, node.args, strict=True):
                    self.bind(one, element(self.value(source)))
                return
        if name in ("items", "most_common") and isinstance(target, ast.Tuple | ast.List) and len(target.elts) == 2:
            self.bind(target.elts[0], frozenset({"text"}) if "keys" in iterated else NOTHING)
            self.bind(target.elts[1], element(iterated - {"keys"}))
            return
        if name == "values":
            iterated = iterated - {"keys"}
        elif "keys" in iterated or "grouped" in iterated:
            self.bind(target, frozenset({"text"}) if "keys" in iterated else NOTHING)
            return
        self.bind(target, element(iterated))

    # -- functions
    def _lambda(self, node: ast.Lambda) -> Carried:
        return frozenset({self.refer(node)})

    def refer(self, node: ast.AST) -> str:
        """A word for a function, with the variables around it."""
        for number, (known, _) in enumerate(self.callables):
            if known is node:
                self.callables[number] = (node, tuple(self.frames))
                return f"fn:{number}"
        self.callables.append((node, tuple(self.frames)))
        return f"fn:{len(self.callables) - 1}"

    def applied(self, function: ast.expr | None, carried: Carried) -> Carried:
        """What a function gives for one value."""
        words = [w for w in sorted(self.value(function)) if w.startswith("fn:")] if function is not None else []
        return frozenset[str]().union(*(self.enter(w, [carried], {})[0] for w in words))

    # -- what the classes below it give
    @abstractmethod
    def _call(self, node: ast.Call) -> Carried:
        """Given further down the line of classes, which ends in `Flow`."""

    @abstractmethod
    def bind(self, target: ast.AST, carried: Carried) -> None:
        """Given further down the line of classes, which ends in `Flow`."""

    @abstractmethod
    def enter(self, word: str, given: Sequence[Carried], named: dict[str, Carried]) -> tuple[Carried, Frame]:
        """Given further down the line of classes, which ends in `Flow`."""


def plain(carried: Carried) -> Carried:
    """Without functions."""
    return frozenset(w for w in carried if not w.startswith("fn:"))


def name_of(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def _whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value >= 2


def _is_power(node: ast.BinOp) -> bool:
    """Whether one side is a whole number to a power: `2 ** i`, `256 ** i`."""
    sides = (node.left, node.right)
    return any(
        (isinstance(s, ast.BinOp) and isinstance(s.op, ast.Pow) and _whole(s.left)) or name_of(s) in ("pow", "power", "exp2")
        for s in sides
    )
