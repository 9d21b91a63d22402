"""The normal form of conditions: those that mean the same by simple laws are written the same.

Negation goes inward, as far as the comparisons; "and" and "or" are flat, sorted, and without doubles; comparisons of one
column that are joined become one: values are merged, bounds of whole numbers are written as >= and <=, and a run as its bounds.
A comparison with a missing number is false and its `Not` is true, so that "not from 2020" stays what it is.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from fedkit.digests import canonical
from fedkit.warehouse.predicates import MAX_VALUES, All, Any, Compare, Has, Not, Predicate, Value
from fedkit.warehouse.schema import SCHEMA, Column, View

Kind: typing.TypeAlias = type[All] | type[Any]


def normal(predicate: Predicate, view: View) -> Predicate:
    """The predicate in normal form. view: whose rows it is about. Raises RequestError for columns that the view has not."""
    return _ranges(_joined(predicate, view, False), view)


def _joined(predicate: Predicate, view: View, negated: bool) -> Predicate:
    if isinstance(predicate, Not):
        return _joined(predicate.part, view, not negated)
    if isinstance(predicate, All | Any):
        kind: Kind = All if isinstance(predicate, All) != negated else Any
        return _made(kind, (_joined(part, view, negated) for part in predicate.parts))
    if isinstance(predicate, Has):
        inner = None if predicate.where is None else normal(predicate.where, SCHEMA.view(predicate.view))
        has = Has(predicate.view, inner)
        return Not(has) if negated else has
    return _compare(predicate, view.column(predicate.column), negated)


def _made(kind: Kind, parts: Iterable[Predicate]) -> Predicate:
    """Parts joined: flat, merged, each once, sorted."""
    flat = [inner for part in parts for inner in _inside(part, kind)]
    named = {canonical(part.to_json()): part for part in _merged(flat, kind)}
    found = tuple(named[name] for name in sorted(named))
    return found[0] if len(found) == 1 else kind(found)


def _inside(part: Predicate, kind: Kind) -> tuple[Predicate, ...]:
    return part.parts if isinstance(part, All | Any) and isinstance(part, kind) else (part,)


def _compare(compare: Compare, column: Column, negated: bool) -> Predicate:
    values = tuple(sorted(compare.values, key=_order))
    if negated and compare.op == "in" and column.kind == "category" and not column.open:
        others = tuple(sorted((v for v in column.values if v not in values), key=_order))
        if others:
            return Compare(compare.column, "in", others)
    plain = Compare(compare.column, compare.op, values)
    if column.kind == "date" or (column.kind == "number" and column.whole):
        plain = _inclusive(plain, column)
    return Not(plain) if negated else plain


def _inclusive(compare: Compare, column: Column) -> Compare:
    """> and < of whole numbers and days as >= and <= of their neighbours."""
    if compare.op not in (">", "<"):
        return compare
    value, step = compare.values[0], 1 if compare.op == ">" else -1
    if column.kind == "date":
        moved: Value = (date.fromisoformat(str(value)) + timedelta(days=step)).isoformat()
    else:
        moved = int(value) + step
    return Compare(compare.column, ">=" if step > 0 else "<=", (moved,))


def _merged(parts: Sequence[Predicate], kind: Kind) -> list[Predicate]:
    """Comparisons of one column as one: "in" by what both have or either has, bounds by the tighter or the wider one."""
    sets: dict[str, set[Value]] = {}
    bounds: dict[tuple[str, str], Value] = {}
    others: list[Predicate] = []
    for part in parts:
        if not isinstance(part, Compare) or part.op == "starts":
            others.append(part)
        elif part.op == "in":
            mine, old = set(part.values), sets.get(part.column)
            both = mine if old is None else old & mine if kind is All else old | mine
            if both and len(both) <= MAX_VALUES:
                sets[part.column] = both
            else:
                others.append(part)
        else:
            name, pair = (part.column, part.op), [part.values[0]]
            pair += [bounds[name]] if name in bounds else []
            tighter = max if (part.op in (">=", ">")) == (kind is All) else min
            bounds[name] = tighter(pair, key=_order)
    found: list[Predicate] = [Compare(name, "in", tuple(sorted(values, key=_order))) for name, values in sets.items()]
    return [*found, *(Compare(name, op, (value,)) for (name, op), value in bounds.items()), *others]


def _ranges(predicate: Predicate, view: View) -> Predicate:
    """Runs of whole numbers as their bounds, and equal bounds as the one value between them."""
    if isinstance(predicate, All | Any):
        made = _made(type(predicate), (_ranges(part, view) for part in predicate.parts))
        return _points(made) if isinstance(made, All) else made
    if isinstance(predicate, Compare) and predicate.op == "in" and len(predicate.values) > 1:
        column = view.column(predicate.column)
        whole = [value for value in predicate.values if isinstance(value, int)]
        if column.kind == "number" and len(whole) == len(predicate.values) == whole[-1] - whole[0] + 1:
            return All((Compare(column.name, "<=", (whole[-1],)), Compare(column.name, ">=", (whole[0],))))
    return predicate


def _points(joined: All) -> Predicate:
    bounds: Mapping[tuple[str, str], Value] = {
        (part.column, part.op): part.values[0] for part in joined.parts if isinstance(part, Compare) and part.op in (">=", "<=")
    }
    single = {name: low for (name, op), low in bounds.items() if op == ">=" and bounds.get((name, "<=")) == low}
    if not single:
        return joined
    rest = [
        part for part in joined.parts if not (isinstance(part, Compare) and part.op in (">=", "<=") and part.column in single)
    ]
    return _made(All, [*rest, *(Compare(name, "in", (value,)) for name, value in single.items())])


def _order(value: Value) -> tuple[bool, Value]:
    return isinstance(value, str), value
