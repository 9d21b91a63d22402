"""Questions drawn by hypothesis: of every kind of figure, condition and group that fits the schema."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from question_tables import WORDS

from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import COUNTS, SUMS, Measure
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import MAX_CELLS, Protection, Question
from fedkit.warehouse.schema import SCHEMA, Column, View

VIEWS = tuple(SCHEMA.views.values())


def values(column: Column) -> st.SearchStrategy[Any]:
    """A value that a column may be compared with."""
    if column.kind == "number":
        low = 2018 if column.name == "year" else int(column.low or 0)
        return st.integers(low, min(low + 61, int(column.high or 0)))
    if column.kind == "date":
        return st.dates().map(str) | st.sampled_from(["2020-01-10", "2021-05-20"])
    return st.sampled_from(WORDS if column.open else column.values)


@st.composite
def compares(draw: st.DrawFn, view: View) -> Compare:
    column = draw(st.sampled_from([c for c in view.columns if c.kind != "id"]))
    if column.kind == "category" and draw(st.booleans()):
        word = draw(values(column))
        return Compare(column.name, "starts", (word[: draw(st.integers(1, len(word)))].strip() or word,))
    op = draw(st.sampled_from(("in",) if column.kind == "category" else ("in", ">=", "<=", ">", "<")))
    several = draw(st.lists(values(column), min_size=1, max_size=3 if op == "in" else 1, unique=True))
    return Compare(column.name, op, tuple(several))


def predicates(view: View, depth: int = 3) -> st.SearchStrategy[Predicate]:
    """Conditions on a view, nested up to a depth."""
    if depth == 0:
        return compares(view)
    inner = st.deferred(lambda: predicates(view, depth - 1))
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    other = st.sampled_from(VIEWS).flatmap(
        lambda v: st.builds(Has, st.just(v.name), st.none() | predicates(v, min(depth - 1, 1)))
    )
    return st.one_of(compares(view), st.builds(All, several), st.builds(AnyOf, several), st.builds(Not, inner), other)


@st.composite
def groups(draw: st.DrawFn, view: View) -> Group:
    column = draw(st.sampled_from([c for c in view.columns if c.kind in ("category", "number") and c.name != "site"]))
    if column.kind == "category":
        words = st.sampled_from(WORDS if column.open else column.values)
        return Group(
            column.name, values=tuple(draw(st.lists(words, min_size=1 if column.open else 0, max_size=4, unique=True)))
        )
    low = 2018 if column.name == "year" else int(column.low or 0)
    edges = st.integers(low, min(low + 60, int(column.high or 0) + 1))
    return Group(column.name, edges=tuple(sorted(draw(st.lists(edges, min_size=2, max_size=5, unique=True)))))


@st.composite
def measures(draw: st.DrawFn, view: View) -> Measure:
    kind = draw(st.sampled_from([k for k in (*COUNTS, *SUMS) if not COUNTS.get(k) or COUNTS[k] in view]))
    if kind in COUNTS:
        return Measure(kind)
    column = draw(st.sampled_from([c for c in view.columns if c.kind == "number"]))
    low, high = int(column.low or 0), int(column.high or 0)
    if draw(st.booleans()):
        low, high = low + 2, min(high, low + 9) if high > low + 2 else high
    return Measure(kind, column.name, low, high) if low < high else Measure(kind, column.name, int(column.low or 0), high)


@st.composite
def questions(draw: st.DrawFn, modes: tuple[str, ...] = ("rules",)) -> Question:
    """A question that fits the schema."""
    view = draw(st.sampled_from(VIEWS))
    chosen = draw(st.lists(measures(view), min_size=1, max_size=3, unique_by=lambda m: m.name))
    bounds: dict[str, Any] = {}
    chosen = [m for m in chosen if not m.column or bounds.setdefault(m.column, m.bounds) == m.bounds]
    by = draw(st.lists(groups(view), max_size=3, unique_by=lambda g: g.column))
    while Question(view.name, tuple(chosen), None, tuple(by)).cells() > MAX_CELLS:
        by = by[:-1]
    mode = draw(st.sampled_from(modes))
    if mode != "pooled" and draw(st.booleans()):
        by = [*by, Group("site")]
    protection = Protection() if mode == "rules" else Protection(mode, 0.5, draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    return Question(view.name, tuple(chosen), draw(st.none() | predicates(view)), tuple(by), protection)
