"""What statements do with what values carry: branches, loops, functions and what they return. Entries are where it begins.

Every path is followed, both sides of a branch, loops until nothing new comes (three times at most), calls of the source's own
functions with what they are given. It is a forward analysis without aliases (`b = a` are two variables) and without the content
of containers one by one: a list carries what was put into it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fedkit.governance.findings.code import Code
from fedkit.governance.findings.flow import leaks
from fedkit.governance.findings.flow.carried import (
    NOTHING,
    STRONG,
    TEXTS,
    Carried,
    data,
    decides,
    over_notes,
    packed,
    summed,
    tested,
)
from fedkit.governance.findings.flow.following import Following
from fedkit.governance.findings.flow.values import PARTS, TooTangled
from fedkit.governance.review import Finding

_GIVEN = {
    "notes": frozenset({"set", "notes"}),
    "note": frozenset({"note"}),
    "text": frozenset({"text"}),
    "span": frozenset({"span"}),
    "spans": frozenset({"span"}),
}


def look(code: Code) -> Iterator[Finding]:
    """Rules "encoding", "one note", "per note", "decides", "extreme", "strings", "search", "chance", "time", "trigger"; "flow"
    for what is too tangled to follow."""
    flow = Flow(code)
    try:
        flow.run()
    except TooTangled:
        leaks.too_tangled(flow.seen, code.tree)
    yield from flow.seen.found


class Flow(Following):
    """Statements."""

    def run(self) -> None:
        """The module, then every entry, then the functions that no entry calls."""
        self.block(self.code.tree.body)
        for name in sorted(self.code.entry_names & self.code.functions.keys()):
            self._start(self.code.functions[name], entry=True)
        for function in self.code.functions.values():
            if function not in self._entered:
                self._start(function, entry=False)

    def _start(self, function: ast.FunctionDef | ast.AsyncFunctionDef, *, entry: bool) -> None:
        self.inside_entry, self._entry = entry, function if entry else None
        given = [_GIVEN.get(a.arg, NOTHING) for a in function.args.args]
        self.conditions, self.loops = [], []
        self.enter(self.refer(function), given, {})
        self.inside_entry, self._entry = False, None

    # -- functions

    # -- variables

    # -- statements
    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        self.step()
        match node:
            case ast.Expr(value=value):
                self.value(value)
                if isinstance(value, ast.Yield | ast.YieldFrom) and self._returns:
                    each = frozenset({"each"}) if any(self.loops) else NOTHING
                    self._returns[-1].append((node, self.value(value) | each))
            case ast.Assign(targets=targets, value=value):
                if self.inside_entry and isinstance(targets[0], ast.Subscript) and self.code.text(targets[0].slice) in PARTS:
                    self.gives(str(self.code.text(targets[0].slice)), value)
                    return
                carried = self.value(value)
                for target in targets:
                    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List) and (
                        len(target.elts) == len(value.elts)
                    ):  # fmt: skip
                        pairs = [(t, self.value(v)) for t, v in zip(target.elts, value.elts, strict=True)]
                        for one, its in pairs:
                            self.bind(one, its | self.decided())
                    elif isinstance(target, ast.Tuple | ast.List) and over_notes(carried) and _is_collection(value):
                        self.bind(target, frozenset({"note", "single"}) if "notes" in carried else carried | {"single"})
                    else:
                        self.bind(target, carried | self.decided())
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.bind(target, self.value(value) | self.decided())
            case ast.AugAssign():
                self._augmented(node)
            case ast.Return(value=value):
                carried = self.value(value)
                for condition, line in self.conditions:
                    carried |= decides(condition)
                    if self._calls and self._calls[-1] is self._entry:
                        leaks.returned(self.seen, node, condition, line)
                if self._returns:
                    self._returns[-1].append((node, carried))
            case ast.If(test=test, body=body, orelse=orelse):
                self._branches(tested(self.value(test)), node.lineno, [body, orelse])
            case ast.Match(subject=subject, cases=cases):
                carried = self.value(subject)
                for case in cases:
                    self._patterns(case.pattern, carried)
                self._branches(tested(carried), node.lineno, [c.body for c in cases])
            case ast.For() | ast.AsyncFor():
                self._for(node)
            case ast.While(test=test, body=body):
                condition = tested(self.value(test))
                self._repeat(body, bool(data(condition)), False, condition, node.lineno)
            case (
                ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody)
                | ast.TryStar(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody)
            ):
                failed, self.may_fail = self.may_fail, False
                self.block(body)
                for handler in handlers:
                    if handler.name:
                        self.frames[-1][handler.name] = frozenset({"error"})
                ways = [body] if self.may_fail else []
                condition = frozenset({"test"}) if self.may_fail else NOTHING
                self._branches(condition, node.lineno, [*ways, *([*h.body] for h in handlers)])
                self.may_fail = failed or self.may_fail
                self.block([*orelse, *finalbody])
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    carried = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, carried)
                self.block(body)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.frames[-1][name] = frozenset({self.refer(node)})
            case ast.ClassDef():
                self._class(node)
            case ast.Raise() | ast.Assert():
                condition = tested(self.value(node.test)) if isinstance(node, ast.Assert) else NOTHING
                if any(c & {"test", "single", "extreme"} for c in [condition, *(c for c, _ in self.conditions)]):
                    leaks.fails(self.seen, node)

    def _augmented(self, node: ast.AugAssign) -> None:
        whole = node.target.value if isinstance(node.target, ast.Subscript) else node.target
        given, before = self.value(node.value), self.value(whole)
        listed = isinstance(node.value, ast.List | ast.Tuple | ast.ListComp)
        if given & {"text"} and isinstance(node.op, ast.Add) and any(self.loops) and not listed:
            leaks.builds(self.seen, node)
        modifiers = frozenset[str]().union(*(c & {"single", "extreme", "chance"} for c, _ in self.conditions))
        grows = isinstance(node.op, ast.Mult | ast.LShift) and not data(given) and self.loops
        if listed or given & TEXTS:
            new = before | given | ({"each"} if any(self.loops) and data(given) else NOTHING)
        elif grows:
            new = before | {"scaled"}
        elif self.loops and (data(given) or data(self._condition())):
            new = before | summed(given) | {"count"} | modifiers | packed(before, given)
            if isinstance(node.op, ast.Sub | ast.Add) and "single" in given:
                new |= {"single"}
        else:
            new = before | given | self.decided()
        if isinstance(node.target, ast.Subscript):
            key = self.value(node.target.slice)
            words = set(new) | ({"each"} if key & {"id", "index", "note"} else {"keys"} if key & TEXTS else set())
            self._add(node.target.value, frozenset(words | {"count"}))
        else:
            self.bind(node.target, new)

    def _condition(self) -> Carried:
        return frozenset[str]().union(*(c for c, _ in self.conditions))

    def _branches(self, condition: Carried, line: int, bodies: Sequence[Sequence[ast.stmt]]) -> None:
        before, after = self.frames[-1], []
        self.conditions.append((condition, line))
        try:
            for body in bodies:
                self.step(len(before) // 4)  # what is copied and joined below
                self.frames[-1] = dict(before)
                self.block(body)
                after.append(self.frames[-1])
        finally:
            self.conditions.pop()
            self.frames[-1] = before
        for frame in after:
            for name, carried in frame.items():
                before[name] = before.get(name, NOTHING) | carried if name in before else carried
        # A name that every branch binds anew keeps nothing of what it was.
        if len(bodies) > 1 and all(bodies):
            for name in before:
                if all(name in f for f in after):
                    before[name] = frozenset[str]().union(*(f[name] for f in after))

    def _patterns(self, pattern: ast.AST, carried: Carried) -> None:
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                self.frames[-1][node.name] = carried
            elif isinstance(node, ast.MatchValue) and (text := self.code.text(node.value)) and "text" in carried:
                leaks.searches(self.seen, node, text)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.value(node.iter)
        notes = over_notes(iterated)
        self.bind_elements(node.target, node.iter, iterated)
        self._repeat(node.body, bool(data(iterated)), notes, NOTHING, node.lineno)
        self.block(node.orelse)
        if notes:  # what is left over is the last note's
            for name in _assigned(node):
                left = self.frames[-1].get(name, NOTHING)
                if left & STRONG or ("index" in left):
                    self.frames[-1][name] = left | {"single"}

    def _repeat(self, body: Sequence[ast.stmt], some: bool, notes: bool, condition: Carried, line: int) -> None:
        outermost = not self.loops
        if some or notes:
            self.loops.append(notes)
        self.conditions.append((condition, line))
        try:
            for _ in range(3 if outermost else 1):
                before = dict(self.frames[-1])
                self.step(len(before) // 4)
                self.block(body)
                for name, carried in before.items():
                    if not carried <= self.frames[-1].get(name, NOTHING):
                        self.frames[-1][name] = self.frames[-1].get(name, NOTHING) | carried
                if self.frames[-1] == before:
                    break
        finally:
            self.conditions.pop()
            if some or notes:
                self.loops.pop()

    def _class(self, node: ast.ClassDef) -> None:
        methods = self.classes.setdefault(node.name, {})
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                methods[statement.name] = self.refer(statement)
            else:
                self._statement(statement)
        self.frames[-1][node.name] = frozenset({f"class:{node.name}"})


def _is_collection(node: ast.expr) -> bool:
    """Whether what is taken apart are elements of a collection rather than the several results of a call."""
    return not isinstance(node, ast.Call) or (
        isinstance(node.func, ast.Name) and node.func.id in ("list", "sorted", "tuple", "set")
    )


def _assigned(loop: ast.For | ast.AsyncFor) -> set[str]:
    """Names that a loop binds as a whole, its target among them; `+=` is no such binding."""
    found = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    for node in (n for part in loop.body for n in ast.walk(part)):
        if isinstance(node, ast.Assign):
            found |= {
                t.id
                for target in node.targets
                for t in ast.walk(target)
                if isinstance(t, ast.Name) and isinstance(t.ctx, ast.Store)
            }
    return found
