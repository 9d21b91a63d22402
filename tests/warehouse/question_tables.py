"""Small tables behind the warehouse's views, and what questions mean, worked out row by row in plain Python."""

from __future__ import annotations

import random
from hashlib import md5
from typing import Any

from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import COUNTS
from fedkit.warehouse.predicates import All, Compare, Has, Not, Predicate
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA, Column

Table = list[dict[str, Any]]
Tables = dict[str, Table]

#: Words of the open categories: quotes, a backslash, letters beyond ASCII, what LIKE would read as something else.
WORDS = ("Ortopedi", "O'Brien", "C:\\temp", "Öron, näsa", "A10BA02", "A10%", "unknown")

_TYPES = {"id": "BIGINT", "category": "VARCHAR", "number": "INTEGER", "date": "DATE"}


def tables(seed: int = 7, persons: int = 25, rows: int = 160) -> Tables:
    """All views, drawn; one row in eight of what may be missing is. What belongs to a person is the same in all their rows."""
    rng = random.Random(seed)
    own = {p: {c.name: _drawn(c, rng) for c in SCHEMA.view("patients").columns} for p in range(persons)}
    found: Tables = {"patients": [{**own[p], "person_id": p, "site": "no"} for p in range(persons)]}
    for view in ("visits", "notes", "mentions"):
        found[view] = []
        for number in range(rows):
            person = rng.randrange(persons)
            row = {
                c.name: own[person][c.name] if c.of_person and c.name in own[person] else _drawn(c, rng)
                for c in SCHEMA.view(view).columns
            }
            ids = {"person_id": person, "site": "no"}
            for name in ("visit_id", "note_id"):
                if name in row:  # a note and a visit are one person's
                    ids[name] = person * 1000 + (number if name == f"{view[:-1]}_id" else rng.randrange(4))
            found[view].append({**row, **ids})
    for row in found["mentions"]:  # what belongs to a note is the same in all its mentions
        note = random.Random(row["note_id"])
        for column in SCHEMA.view("mentions").columns:
            if column.kind == "number" and not column.of_person:
                row[column.name] = _drawn(column, note)
    return found


def _drawn(column: Column, rng: random.Random) -> Any:
    if column.optional and rng.randrange(8) == 0:
        return None
    if column.kind == "category":
        return rng.choice(WORDS if column.open else column.values)
    if column.kind == "date":
        return f"20{rng.randrange(19, 24)}-0{rng.randrange(1, 10)}-{rng.randrange(10, 29)}"
    if column.name == "year":
        return rng.randrange(2019, 2024)
    return rng.randrange(int(column.low or 0), int(min(column.high or 0, (column.low or 0) + 60)) + 1)


def statements(drawn: Tables) -> list[str]:
    """SQL that makes these tables, in DuckDB and in Postgres."""
    made = []
    for view in SCHEMA.views.values():
        columns = ", ".join(f'"{c.name}" {_TYPES[c.kind]}' for c in view.columns)
        made.append(f"CREATE TABLE {view.name} ({columns})")
        values = ", ".join(f"({', '.join(_constant(row[c.name]) for c in view.columns)})" for row in drawn[view.name])
        made.append(f"INSERT INTO {view.name} VALUES {values}")
    return made


def _constant(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def meets(predicate: Predicate | None, row: dict[str, Any], drawn: Tables) -> bool:
    """Whether a row meets a condition, by its two truth values."""
    if predicate is None:
        return True
    if isinstance(predicate, Compare):
        return _compared(predicate, row[predicate.column])
    if isinstance(predicate, All):
        return all(meets(part, row, drawn) for part in predicate.parts)
    if isinstance(predicate, AnyOf):
        return any(meets(part, row, drawn) for part in predicate.parts)
    if isinstance(predicate, Not):
        return not meets(predicate.part, row, drawn)
    assert isinstance(predicate, Has)
    return any(r["person_id"] == row["person_id"] and meets(predicate.where, r, drawn) for r in drawn[predicate.view])


def _compared(compare: Compare, value: Any) -> bool:
    first: Any = compare.values[0]
    if value is None:
        return False
    return {
        "in": lambda: value in compare.values,
        "starts": lambda: value.startswith(first),
        ">=": lambda: value >= first,
        "<=": lambda: value <= first,
        ">": lambda: value > first,
        "<": lambda: value < first,
    }[compare.op]()


def answered(question: Question, drawn: Tables) -> dict[tuple[str, ...], dict[str, Any]]:
    """Group → figures, of all groups that are there."""
    columns = question.columns()
    cells: dict[tuple[str, ...], dict[int, Table]] = {}
    for row in drawn[question.view]:
        labels = tuple(_label(group, column, row[column.name]) for group, column in columns)
        if None not in labels and meets(question.where, row, drawn):
            cells.setdefault(labels, {}).setdefault(row["person_id"], []).append(row)  # type: ignore[arg-type]
    if not columns:
        cells.setdefault((), {})
    if question.protection.mode != "rules":
        cells = _within(question, cells)
    return {labels: _figures(question, list(persons.values())) for labels, persons in cells.items()}


def _label(group: Group, column: Column, value: Any) -> str | None:
    labels = group.labels(column)
    if not group.edges:
        return value if value in labels else None
    for label, low, high in zip(labels, group.edges, group.edges[1:], strict=False):
        if value is not None and low <= value < high:
            return label
    return None


def _within(question: Question, cells: dict[Any, dict[int, Table]]) -> dict[Any, dict[int, Table]]:
    """Only the groups that are drawn for each person, and of sums only the rows that are drawn."""
    keys = {
        labels: tuple(_key(g, c, label) for (g, c), label in zip(question.columns(), labels, strict=True)) for labels in cells
    }
    kept: dict[Any, dict[int, Table]] = {}
    for person in {p for persons in cells.values() for p in persons}:
        mine = [labels for labels in cells if person in cells[labels]]
        mine.sort(key=lambda labels: md5("|".join(map(str, (person, *keys[labels]))).encode()).hexdigest())
        of_person = all(column.of_person for _, column in question.columns())
        for labels in mine if of_person else mine[: question.protection.groups_per_person]:
            kept.setdefault(labels, {})[person] = cells[labels][person]
    return kept or ({(): {}} if not question.columns() else {})


def _key(group: Group, column: Column, label: str) -> Any:
    """What the database groups by: the word, the number, or the place of the group."""
    if not group.edges:
        return label
    place = group.labels(column).index(label)
    return int(group.edges[place]) if group.single(column) else place


def _figures(question: Question, persons: list[Table]) -> dict[str, Any]:
    most = question.protection.rows_per_person if question.protection.mode != "rules" else None
    found: dict[str, Any] = {"persons": len(persons)}
    for part in question.parts:
        if part in COUNTS and part != "persons":
            each = [len({row[COUNTS[part]] for row in rows}) if COUNTS[part] else len(rows) for rows in persons]
            found[part] = sum(min(n, most) if most else n for n in each)
    for column, (low, high) in question.bounds().items():
        shares = []
        for rows in persons:
            if most:
                row_id = "note_id" if "note_id" in rows[0] else "visit_id" if "visit_id" in rows[0] else "person_id"
                rows = sorted(rows, key=lambda row: md5(str(row[row_id]).encode()).hexdigest())[:most]
            values = [min(max(row[column], low), high) for row in rows if row[column] is not None]
            shares.append((len(values), sum(values), sum(v * v for v in values)))
        sums = dict(zip(("n", "sum", "squares"), map(sum, zip(*shares, strict=True)), strict=False)) or {
            "n": 0,
            "sum": 0,
            "squares": 0,
        }
        found.update({f"{p}_{column}": sums[p] for p in sums if f"{p}_{column}" in question.parts})
        if not most:
            largest = [*sorted((abs(s if f"sum_{column}" in question.parts else q) for _, s, q in shares), reverse=True), 0, 0]
            found |= {
                f"persons_{column}": sum(n > 0 for n, _, _ in shares),
                f"first_{column}": largest[0],
                f"second_{column}": largest[1],
            }
    return found
