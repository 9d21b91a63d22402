"""What may never end, or takes as long or as much as somebody likes: loops without a bound, huge numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.review import Finding

#: More than this of anything in one place is no honest need of a request.
HUGE = 10**8

_ENDLESS = frozenset({"itertools.count", "itertools.cycle", "itertools.repeat"})


def look(code: Code) -> Iterator[Finding]:
    """Rules "loop" and "huge"."""
    seen = Look()
    for loop in code.of(ast.While):
        if isinstance(loop.test, ast.Constant) and loop.test.value:
            ends = any(isinstance(n, ast.Break | ast.Return | ast.Raise) for n in ast.walk(loop))
            seen.add("warn", loop, "loop", "a loop without a bound" + ("" if ends else ", and nothing ends it"))
        elif not _moves(loop):
            seen.add("warn", loop, "loop", "a loop whose condition nothing in it changes")
    for each in code.of(ast.For):
        made = each.iter if isinstance(each.iter, ast.Call) else None
        if made is not None and (code.dotted(made.func) in _ENDLESS or (_called(made) == "iter" and len(made.args) == 2)):
            seen.add("warn", each, "loop", "a loop over something that has no end")
    for number in code.of(ast.Constant):
        if isinstance(number.value, int) and number.value >= HUGE and _sizes(code, number):
            seen.add("warn", number, "huge", f"{number.value:,}: so much of anything takes long or fills the memory")
    for power in code.of(ast.BinOp):
        if isinstance(power.op, ast.Pow | ast.LShift) and _value(power.right) > 1000:
            seen.add("warn", power, "huge", "a number of thousands of digits: takes long, and can hold a text")
    yield from seen.found


def _moves(loop: ast.While) -> bool:
    """Whether something in a loop may change its condition: names it reads are bound, something is called, or it is left."""
    read = {n.id for n in ast.walk(loop.test) if isinstance(n, ast.Name)}
    for node in (n for part in loop.body for n in ast.walk(part)):
        if isinstance(node, ast.Break | ast.Return | ast.Raise):
            return True
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node.id in read:
            return True
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in read:
            return True
    return any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(loop.test))


def _sizes(code: Code, number: ast.Constant) -> bool:
    """Whether a number is a size or a count: an argument, a factor or part of a tuple; not a seed, bound or default."""
    parent = code.parents.get(number)
    while isinstance(parent, ast.Tuple | ast.BinOp):
        parent = code.parents.get(parent)
    return isinstance(parent, ast.Call) and _called(parent) in (
        "range",
        "zeros",
        "ones",
        "empty",
        "full",
        "rand",
        "randn",
        "arange",
    )


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _value(node: ast.expr) -> int:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else 0
