"""A question as SQL that a person could have typed. `parse` makes the same question of it, but for its protection.

It means in DuckDB and in Postgres what the question means, as far as SQL has words for it. A site runs another statement
(`fedkit.warehouse.render`), which also looks at who the figures rest on.
"""

from __future__ import annotations

from dataclasses import replace

from fedkit.warehouse.groups import Group
from fedkit.warehouse.implied import implied
from fedkit.warehouse.measures import COUNTS, Measure
from fedkit.warehouse.predicates import All, Any, Compare, Has, Not, Predicate, Value
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA, Column, Schema, View


def write(question: Question, schema: Schema = SCHEMA) -> str:
    """One SELECT. Raises RequestError for a question that does not fit the schema."""
    question.check(schema)
    view = schema.view(question.view)
    groups = [_group(group, view, question.where) for group in question.by]
    figures = [f"{_figure(m, view)} AS {m.name}" for m in question.measures]
    where = f" WHERE {_top(question.where, view, schema)}" if question.where is not None else ""
    by = f" GROUP BY {', '.join(groups)}" if groups else ""
    return f"SELECT {', '.join([*groups, *figures])} FROM {view.name}{where}{by}"


def _figure(measure: Measure, view: View) -> str:
    if measure.kind in COUNTS:
        counted = COUNTS[measure.kind]
        return f"COUNT(DISTINCT {counted})" if counted else "COUNT(*)"
    column, (low, high), name = view.column(measure.column), measure.bounds, measure.column
    cut = name
    if (low, high) != (column.low, column.high):
        least, most = _number(low), _number(high)
        cut = f"CASE WHEN {name} < {least} THEN {least} WHEN {name} > {most} THEN {most} ELSE {name} END"
    if measure.kind == "sum_of_squares":
        return f"SUM(({cut}) * ({cut}))" if cut != name else f"SUM({cut} * {cut})"
    return f"{ {'sum': 'SUM', 'mean': 'AVG', 'variance': 'VARIANCE'}[measure.kind] }({cut})"


def _group(group: Group, view: View, where: Predicate | None) -> str:
    column = view.column(group.column)
    plain = replace(group, values=(), edges=())
    if group == plain or implied(plain, view, where) == group:
        return column.name
    if group.values:
        return f"CASE WHEN {column.name} IN ({', '.join(map(_text, group.values))}) THEN {column.name} END"
    pairs = zip(group.edges, group.edges[1:], group.labels(column), strict=False)
    branches = [
        f"WHEN {column.name} >= {_number(a)} AND {column.name} < {_number(b)} THEN {_text(label)}" for a, b, label in pairs
    ]
    return f"CASE {' '.join(branches)} END"


def _top(predicate: Predicate, view: View, schema: Schema) -> str:
    """The condition without the outermost brackets."""
    if isinstance(predicate, All | Any):
        word = " AND " if isinstance(predicate, All) else " OR "
        return word.join(_condition(part, view, schema) for part in predicate.parts)
    return _condition(predicate, view, schema)


def _condition(predicate: Predicate, view: View, schema: Schema) -> str:
    if isinstance(predicate, Compare):
        return _compare(predicate, view.column(predicate.column))
    if isinstance(predicate, Not):
        inner = _top(predicate.part, view, schema)
        if any(isinstance(part, Compare) and view.column(part.column).optional for part in _of_row(predicate.part)):
            return f"({inner}) IS NOT TRUE"
        return f"NOT ({inner})"
    if isinstance(predicate, Has):
        other = schema.view(predicate.view)
        where = f" WHERE {_top(predicate.where, other, schema)}" if predicate.where is not None else ""
        return f"person_id IN (SELECT person_id FROM {other.name}{where})"
    return f"({_top(predicate, view, schema)})"


def _of_row(predicate: Predicate) -> list[Predicate]:
    """The parts that are about the row itself, not about another view."""
    if isinstance(predicate, Has):
        return []
    if isinstance(predicate, All | Any):
        return [inner for part in predicate.parts for inner in _of_row(part)]
    return _of_row(predicate.part) if isinstance(predicate, Not) else [predicate]


def _compare(compare: Compare, column: Column) -> str:
    if compare.op == "starts":
        start = str(compare.values[0])
        if any(sign in start for sign in "%_\\"):  # which LIKE would read as something else
            return f"STARTS_WITH({column.name}, {_text(start)})"
        return f"{column.name} LIKE {_text(f'{start}%')}"
    values = [_value(value, column) for value in compare.values]
    if compare.op == "in" and len(values) > 1:
        return f"{column.name} IN ({', '.join(values)})"
    return f"{column.name} {'=' if compare.op == 'in' else compare.op} {values[0]}"


def _value(value: Value, column: Column) -> str:
    if not isinstance(value, str):
        return _number(value)
    return f"DATE {_text(value)}" if column.kind == "date" else _text(value)


def _number(value: float) -> str:
    return f"{value:d}" if isinstance(value, int) else repr(value)


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
