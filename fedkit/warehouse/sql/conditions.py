"""The condition of a typed question as a predicate that is true of the same rows.

SQL leaves a row out where a comparison with NULL makes its condition unknown, also under NOT: `NOT year = 2020` leaves out rows
without a year. A predicate has no third value and keeps them under `Not`. So a negation is moved inwards to where it meets a
comparison, and of a column that may be NULL it becomes a comparison again.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from fedkit.errors import RequestError
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate, Value
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.schema import Column, Schema, View
from fedkit.warehouse.sql.tree import column, constant, identifier, is_column, only, refuse, unwrapped
from fedkit.warehouse.suggestions import shown

_OPERATORS: dict[type, str] = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_FLIPPED = {"=": "=", "<>": "<>", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
_NEGATED = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}

#: The first day there is: a comparison that every date meets.
FIRST_DAY = "0001-01-01"

#: The lowest whole number there is in a question: a comparison that every number of a column without a lowest one meets.
LOWEST = -(2**53 - 1)


def predicate(node: Any, view: View, schema: Schema, *, negated: bool = False) -> Predicate:
    """The predicate of a condition on a view; negated: of its NOT. Raises RequestError for what is no condition."""
    node = unwrapped(node)
    kind = type(node)
    if kind in (exp.And, exp.Or):
        return _joined(node, view, schema, negated)
    if kind is exp.Not:
        return _not(node, view, schema, negated)
    if kind in _OPERATORS:
        return _comparison(node, view, negated)
    if kind is exp.Between:
        return _between(node, view, schema, negated)
    if kind is exp.In:
        return _in(node, view, schema, negated)
    if kind in (exp.Like, exp.StartsWith):
        return _starts(node, view, negated)
    if kind is exp.Is:
        return _is(node, view, schema, negated)
    return refuse(node, "a condition: = <> < <= > >= BETWEEN, IN, LIKE, AND, OR, NOT")


def _joined(node: Any, view: View, schema: Schema, negated: bool) -> Predicate:
    kind, todo = type(node), [node]
    joined: type[All | AnyOf] = All if (kind is exp.And) != negated else AnyOf
    parts: list[Predicate] = []
    while todo:  # a chain of AND is as deep as it is long
        part = todo.pop()
        if type(part) is kind:
            part = only(part, kind, "this", "expression")
            todo += [part.args["expression"], part.this]
        else:
            found = predicate(part, view, schema, negated=negated)
            flat = type(part) is exp.Between and type(found) is joined
            parts += found.parts if flat and isinstance(found, All | AnyOf) else (found,)
    return joined(tuple(parts))


def _not(node: Any, view: View, schema: Schema, negated: bool) -> Predicate:
    inner = unwrapped(only(node, exp.Not, "this").this)
    if type(inner) is exp.Is:
        return _is(inner, view, schema, not negated)
    if negated:
        return predicate(inner, view, schema)
    if _all_known(inner, view):  # no NULL comes into it, so it can stay as it was typed
        return Not(predicate(inner, view, schema))
    return predicate(inner, view, schema, negated=True)


def _is(node: Any, view: View, schema: Schema, negated: bool) -> Predicate:
    """`(…) IS TRUE`: false where the condition is unknown; `IS NOT TRUE`, its `Not`, is what a predicate's Not means."""
    node = only(node, exp.Is, "this", "expression")
    if is_column(unwrapped(node.this)) or type(node.args["expression"]) is not exp.Boolean:
        raise RequestError(
            "IS has no place after a column",
            expected="(a condition) IS TRUE or IS NOT TRUE",
            got="IS",
            help="a number or date that is missing meets no comparison; a word that is missing is 'unknown'",
        )
    if not only(node.args["expression"], exp.Boolean, "this").this:
        refuse(node, "(a condition) IS TRUE or IS NOT TRUE")
    inner = predicate(node.this, view, schema)
    return Not(inner) if negated else inner


def _comparison(node: Any, view: View, negated: bool) -> Predicate:
    node = only(node, type(node), "this", "expression")
    op, left, right = _OPERATORS[type(node)], unwrapped(node.this), unwrapped(node.args["expression"])
    if is_column(right) and not is_column(left):
        op, left, right = _FLIPPED[op], right, left
    if not is_column(left):
        refuse(left, "a column on one side of a comparison")
    if is_column(right):
        raise RequestError(
            "two columns are compared",
            expected="a column and a constant",
            got=shown(column(right)),
            help="a word stands in single quotes: 'IMPLANT'",
        )
    found = view.column(column(left))
    return _compared(found, op, (constant(right),), negated)


def _compared(found: Column, op: str, values: tuple[Value, ...], negated: bool) -> Predicate:
    if op == "<>":
        op, negated = "=", not negated
    if op in _NEGATED:
        return Compare(found.name, _NEGATED[op] if negated else op, values)
    equal = Compare(found.name, "in" if op == "=" else op, values)
    return equal if not negated else _differs(found, equal)


def _differs(found: Column, equal: Compare) -> Predicate:
    """`<>`, NOT IN, NOT LIKE: true of rows that have another value, not of those that have none."""
    if not found.optional:
        return Not(equal)
    lowest: Value = FIRST_DAY if found.kind == "date" else LOWEST if found.low is None else _plain(found.low)
    return All((Compare(found.name, ">=", (lowest,)), Not(equal)))


def _between(node: Any, view: View, schema: Schema, negated: bool) -> Predicate:
    node = only(node, exp.Between, "this", "low", "high")
    found = view.column(column(unwrapped(node.this)))
    low, high = constant(node.args["low"]), constant(node.args["high"])
    parts = (_compared(found, ">=", (low,), negated), _compared(found, "<=", (high,), negated))
    return AnyOf(parts) if negated else All(parts)


def _in(node: Any, view: View, schema: Schema, negated: bool) -> Predicate:
    node = only(node, exp.In, "this", "expressions", "query")
    name = column(unwrapped(node.this))
    if node.args.get("query") is not None:
        if node.expressions:
            refuse(node, "IN with values, or with one SELECT")
        has = _has(name, node.args["query"], schema)
        return Not(has) if negated else has
    found = view.column(name)
    values = tuple(dict.fromkeys(constant(value) for value in node.expressions))
    return _compared(found, "=", values, negated)


def _has(name: str, query: Any, schema: Schema) -> Has:
    """`person_id IN (SELECT person_id FROM view WHERE …)`, the one SELECT inside a SELECT."""
    inner = only(only(query, exp.Subquery, "this").this, exp.Select, "expressions", "from_", "where")
    if name != "person_id" or [column(e) for e in inner.expressions] != ["person_id"]:
        raise RequestError(
            "only persons are looked for in another view",
            expected="person_id IN (SELECT person_id FROM … WHERE …)",
            got=f"{shown(name)} IN (SELECT …)",
        )
    other = schema.view(source(inner))
    where = inner.args.get("where")
    return Has(other.name, None if where is None else predicate(only(where, exp.Where, "this").this, other, schema))


def source(select: exp.Select) -> str:
    """The name of the one view that a SELECT is from."""
    if select.args.get("from_") is None:
        raise RequestError("a question is about a view", expected="SELECT … FROM a view", got="no FROM")
    table = only(only(select.args["from_"], exp.From, "this").this, exp.Table, "this")
    return identifier(table.this)


def _starts(node: Any, view: View, negated: bool) -> Predicate:
    negated = negated != bool(node.args.get("negate"))  # NOT LIKE
    node = only(node, type(node), "this", "expression", "negate")
    found = view.column(column(unwrapped(node.this)))
    pattern = constant(node.args["expression"])
    if type(node) is exp.StartsWith:
        return _compared(found, "starts", (pattern,), negated)
    if not isinstance(pattern, str) or not pattern.endswith("%") or any(c in pattern[:-1] for c in "%_\\"):
        raise RequestError("LIKE is for the beginning of a code", expected="LIKE 'A10%'", got=shown(pattern))
    return _compared(found, "starts", (pattern[:-1],), negated)


def _all_known(node: Any, view: View) -> bool:
    """Whether no column of a condition may be NULL; the rows of a SELECT inside are looked at apart."""
    todo = [node]
    while todo:
        part = todo.pop()
        if type(part) is exp.Column and view.column(column(part)).optional:
            return False
        if type(part) is not exp.Subquery:
            todo += list(part.iter_expressions())
    return True


def _plain(value: float) -> Value:
    return int(value) if value == int(value) else value
