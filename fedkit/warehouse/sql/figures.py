"""What a typed question shows: figures (COUNT, SUM, AVG, VARIANCE) and groups (columns, or CASE with fedkit's own names)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from fedkit.errors import RequestError
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import COUNTS, Measure
from fedkit.warehouse.predicates import Value
from fedkit.warehouse.schema import View
from fedkit.warehouse.sql.tree import column, constant, is_column, only, refuse, unwrapped
from fedkit.warehouse.suggestions import shown

_SUMS: dict[type, str] = {exp.Sum: "sum", exp.Avg: "mean", exp.Variance: "variance"}

_FIGURES = "COUNT(*), COUNT(DISTINCT person_id), SUM, AVG or VARIANCE of a number"

_EXTREMES = (exp.Min, exp.Max, exp.Median, exp.Quantile, exp.PercentileCont, exp.PercentileDisc)


def is_group(node: Any) -> bool:
    """Whether something that is shown is a group and no figure."""
    return type(unwrapped(node)) in (exp.Column, exp.Case)


def measure(node: Any, view: View) -> Measure:
    """The figure that is typed. Raises RequestError for any other."""
    node = unwrapped(node)
    if type(node) is exp.Count:
        return _count(only(node, exp.Count, "this"))
    if type(node) in _SUMS:
        return _sum(only(node, type(node), "this"), _SUMS[type(node)], view)
    if isinstance(node, _EXTREMES):
        raise RequestError(
            f"{node.key.upper()} would show single persons' values",
            expected=_FIGURES,
            got=node.key.upper(),
            help="quantiles leave with noise only: fedkit.warehouse.statistics",
        )
    if type(node) is exp.Star:
        raise RequestError("rows do not leave a site", expected=_FIGURES, got="*")
    return refuse(node, _FIGURES)


def _count(node: exp.Count) -> Measure:
    inner = unwrapped(node.this)
    if type(inner) is exp.Star:
        only(inner, exp.Star)
        return Measure("rows")
    if type(inner) is exp.Distinct:
        counted = [column(e) for e in only(inner, exp.Distinct, "expressions").expressions]
        for kind, name in COUNTS.items():
            if counted == [name]:
                return Measure(kind)
    raise RequestError(
        "COUNT counts rows or distinct persons, notes or visits",
        expected="COUNT(*) or COUNT(DISTINCT person_id)",
        got="COUNT of something else",
    )


def _sum(node: Any, kind: str, view: View) -> Measure:
    inner = unwrapped(node.this)
    if type(inner) is exp.Mul:
        product = only(inner, exp.Mul, "this", "expression")
        if kind != "sum" or product.this != product.args["expression"]:
            refuse(inner, "a column, or SUM(x * x)")
        kind, inner = "sum_of_squares", unwrapped(product.this)
    if type(inner) in (exp.Least, exp.Greatest):
        raise RequestError(
            "LEAST and GREATEST take a missing number for its bound",
            expected="CASE WHEN x < 0 THEN 0 WHEN x > 9 THEN 9 ELSE x END",
            got=type(inner).__name__.upper(),
        )
    if type(inner) is exp.Case:
        name, low, high = _bounds(inner)
        return Measure(kind, view.column(name).name, low, high)
    found = view.column(column(inner))
    return Measure(kind, found.name, found.low, found.high)


def _bounds(node: Any) -> tuple[str, float, float]:
    """Column and bounds of `CASE WHEN x < 0 THEN 0 WHEN x > 9 THEN 9 ELSE x END`."""
    case = only(node, exp.Case, "ifs", "default")
    found: list[tuple[str, Value]] = []
    for branch, kind in zip(case.args["ifs"], (exp.LT, exp.GT), strict=False):
        branch = only(branch, exp.If, "this", "true")
        compared = only(unwrapped(branch.this), kind, "this", "expression")
        bound = constant(compared.args["expression"])
        if bound != constant(branch.args["true"]):
            refuse(node, "values beyond a bound are cut to that bound")
        found.append((column(unwrapped(compared.this)), bound))
    names = {name for name, _ in found} | {column(unwrapped(case.args.get("default")))}
    if len(case.args["ifs"]) != 2 or len(names) != 1:
        refuse(node, "CASE WHEN x < 0 THEN 0 WHEN x > 9 THEN 9 ELSE x END")
    low, high = (bound for _, bound in found)
    if isinstance(low, str) or isinstance(high, str):
        refuse(node, "numbers as bounds")
    return names.pop(), low, high


def group(node: Any, view: View) -> Group:
    """The group that is typed: a column, or a CASE whose branches say which values it has and are called as the answer's.

    `CASE WHEN sex IN ('female', 'male') THEN sex END` · `CASE WHEN year >= 2020 AND year < 2022 THEN '2020-2021' … END`
    """
    node = unwrapped(node)
    if is_column(node):
        return Group(view.column(column(node)).name)
    case = only(node, exp.Case, "ifs")
    branches = [only(branch, exp.If, "this", "true") for branch in case.args["ifs"]]
    if len(branches) == 1 and is_column(unwrapped(branches[0].args["true"])):
        return _values(branches[0], view)
    return _edges(branches, view)


def _values(branch: exp.If, view: View) -> Group:
    listed = only(unwrapped(branch.this), exp.In, "this", "expressions")
    name = column(unwrapped(listed.this))
    if column(unwrapped(branch.args["true"])) != name:
        refuse(branch, "CASE WHEN x IN (…) THEN x END")
    return Group(view.column(name).name, values=tuple(str(constant(value)) for value in listed.expressions))


def _edges(branches: list[exp.If], view: View) -> Group:
    names: set[str] = set()
    edges: list[float] = []
    labels: list[Value] = []
    for branch in branches:
        name, low, high = _range(unwrapped(branch.this))
        if edges and edges[-1] != low:
            raise RequestError("the groups have a gap or overlap", expected=f"a group from {edges[-1]:g} on", got=f"{low:g}")
        names.add(name)
        edges += [low, high] if not edges else [high]
        labels.append(constant(branch.args["true"]))
    if len(names) != 1:
        raise RequestError("a group is about one column", expected="the same column in every branch", got=f"{len(names)}")
    found = view.column(names.pop())
    group = Group(found.name, edges=tuple(edges))
    if labels != (declared := list(group.labels(found))):
        wrong = next((d for d, given in zip(declared, labels, strict=True) if d != given), "")
        raise RequestError(
            f"a group of {found.name} has a name of its own",
            expected=f"'{wrong}', as the answer will have it",
            got="another name",
        )
    return group


def _range(node: Any) -> tuple[str, float, float]:
    """Column and edges of `x >= 0 AND x < 10`, or of a BETWEEN whose upper end is the last whole number."""
    if type(node) is exp.Between:
        between = only(node, exp.Between, "this", "low", "high")
        low, high = constant(between.args["low"]), constant(between.args["high"])
        if not isinstance(low, int) or not isinstance(high, int):
            refuse(node, "BETWEEN of whole numbers")
        return column(unwrapped(between.this)), low, high + 1
    both = only(node, exp.And, "this", "expression")
    lower = only(unwrapped(both.this), exp.GTE, "this", "expression")
    upper = only(unwrapped(both.args["expression"]), exp.LT, "this", "expression")
    name, other = (column(unwrapped(side.this)) for side in (lower, upper))
    low, high = constant(lower.args["expression"]), constant(upper.args["expression"])
    if name != other or isinstance(low, str) or isinstance(high, str):
        raise RequestError("a group is about one column", expected="x >= 0 AND x < 10", got=shown(other))
    return name, low, high
