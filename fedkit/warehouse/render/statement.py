"""One SELECT for a question: plain, by person, or by person within bounds."""

from __future__ import annotations

from fedkit.warehouse.measures import COUNTS
from fedkit.warehouse.question import Question
from fedkit.warehouse.render.conditions import condition, table_name
from fedkit.warehouse.render.figures import counting, cut, per_person, share
from fedkit.warehouse.render.grouping import RenderedGroup, grouped
from fedkit.warehouse.render.literals import Dialect, name
from fedkit.warehouse.schema import SCHEMA, Schema

#: What rows are drawn by where only some of a person's count: the id of what a row stands for, if it has one.
_ROW_ID = ("note_id", "visit_id")


def sql(question: Question, dialect: Dialect = "duckdb", prefix: str = "", schema: Schema = SCHEMA) -> str:
    """The statement that answers a question. Checks the question first: raises RequestError for one that does not fit.

    prefix: the database schema in which a site keeps its views; "" for the one it looks in first.
    """
    question.check(schema)
    bounded = question.protection.mode != "rules"
    groups = rendered_groups(question, dialect, schema)
    view = schema.view(question.view)
    limits = [g.condition for g in groups if g.condition]
    if question.where is not None:
        limits.append(condition(question.where, view, schema, dialect, prefix))
    where = " WHERE " + " AND ".join(limits) if limits else ""
    keys = [f"g{i}" for i in range(len(groups))]
    named = [f"{g.expression} AS {name(key)}" for g, key in zip(groups, keys, strict=True)]
    source = f"FROM {table_name(view, prefix)}{where}"
    if not bounded and not question.bounds():
        figures = [f"{counting(part)} AS {name(part)}" for part in question.parts]
        return f"SELECT {', '.join([*named, *figures])} {source}{_by(keys)}"
    steps = [("cut", f"SELECT {', '.join([*_kept_columns(question, schema), *named])} {source}")]
    if bounded and question.bounds():
        steps.append(("drawn", _rows_drawn(question, keys, schema, dialect)))
    steps.append(("person", _by_person(question, keys, steps[-1][0])))
    if bounded and not all(g.column.of_person for g in groups):
        steps.append(("within", _groups_drawn(question, keys, dialect)))
    if not bounded:
        steps.append(("placed", _placed(question, keys)))
    last = steps[-1][0]
    named_keys = [f"{name(key)}" for key in keys]
    figures = _figures(question, bounded)
    ctes = ",\n".join(f"{name(step)} AS ({text})" for step, text in steps)
    return f"WITH {ctes}\nSELECT {', '.join([*named_keys, *figures])} FROM {name(last)}{_by(keys)}"


def rendered_groups(question: Question, dialect: Dialect, schema: Schema) -> list[RenderedGroup]:
    """The groups of a question within a site."""
    exactly = question.protection.mode != "rules"
    return [grouped(group, column, dialect, exactly=exactly) for group, column in question.columns(schema)]


def _by(keys: list[str]) -> str:
    return f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}" if keys else ""


def _kept_columns(question: Question, schema: Schema) -> list[str]:
    """What the later steps need of a row: its person, the ids that are counted or drawn by, its numbers cut to their bounds."""
    view = schema.view(question.view)
    ids = [COUNTS[m.kind] for m in question.measures if COUNTS.get(m.kind)]
    if question.protection.mode != "rules" and question.bounds():
        ids += [next((i for i in _ROW_ID if i in view), "person_id")]
    cuts = [f"{cut(view.column(c), bounds)} AS {name(c)}" for c, bounds in question.bounds().items()]
    return [*(name(i) for i in dict.fromkeys(("person_id", *ids))), *cuts]


def _rows_drawn(question: Question, keys: list[str], schema: Schema, dialect: Dialect) -> str:
    """The place of each row among those of its person in its group. Rows of one note are ordered by their numbers."""
    view = schema.view(question.view)
    row_id = next((i for i in _ROW_ID if i in view), "person_id")
    columns = list(question.bounds())
    order = [_drawn_by([name(row_id)], dialect), *(f"{name(c)} NULLS LAST" for c in columns)]
    place = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(map(name, ['person_id', *keys]))} ORDER BY {', '.join(order)})"
    return f'SELECT *, {place} AS "row_place" FROM "cut"'


def _by_person(question: Question, keys: list[str], source: str) -> str:
    most = question.protection.rows_per_person
    figures = []
    for part, expression in per_person(question).items():
        if source == "drawn" and part not in COUNTS:
            expression = f'{expression} FILTER (WHERE "row_place" <= {most})'
        elif question.protection.mode != "rules":
            expression = f"LEAST({expression}, {most})"
        figures.append(f"{expression} AS {name(part)}")
    by = ["person_id", *keys]
    return f"SELECT {', '.join([*map(name, by), *figures])} FROM {name(source)} GROUP BY {', '.join(map(name, by))}"


def _groups_drawn(question: Question, keys: list[str], dialect: Dialect) -> str:
    drawn = _drawn_by([name("person_id"), *map(name, keys)], dialect)
    order = ", ".join([drawn, *map(name, keys)])
    place = f'ROW_NUMBER() OVER (PARTITION BY "person_id" ORDER BY {order})'
    inner = f'SELECT *, {place} AS "place" FROM "person"'
    return f'SELECT * FROM ({inner}) AS "drawn_groups" WHERE "place" <= {question.protection.groups_per_person}'


def _placed(question: Question, keys: list[str]) -> str:
    """For each summed column, the place of a person among those of the group, by how much of the sum is theirs."""
    by = f"PARTITION BY {', '.join(map(name, keys))} " if keys else ""
    places = [
        f"ROW_NUMBER() OVER ({by}ORDER BY COALESCE(ABS({name(share(question, c))}), 0) DESC) AS {name(f'place_{c}')}"
        for c in question.bounds()
    ]
    return f'SELECT *, {", ".join(places)} FROM "person"'


def _figures(question: Question, bounded: bool) -> list[str]:
    found = []
    for part in question.parts:
        total = "COUNT(*)" if part == "persons" else f"COALESCE(SUM({name(part)}), 0)"
        found.append(f"{total} AS {name(part)}")
    if not bounded:
        for column in question.bounds():
            total, place, n = name(share(question, column)), name(f"place_{column}"), name(f"n_{column}")
            found.append(f"COALESCE(SUM(CASE WHEN {n} > 0 THEN 1 ELSE 0 END), 0) AS {name(f'persons_{column}')}")
            for number, kept in ((1, "first"), (2, "second")):
                largest = f"MAX(CASE WHEN {place} = {number} THEN ABS({total}) END)"
                found.append(f"COALESCE({largest}, 0) AS {name(f'{kept}_{column}')}")
    return found


def _drawn_by(expressions: list[str], dialect: Dialect) -> str:
    """A fixed draw, the same in both engines: MD5 as hexadecimal text, ordered by its bytes."""
    joined = " || '|' || ".join(f"CAST({expression} AS VARCHAR)" for expression in expressions)
    return f"md5({joined})" + (' COLLATE "C"' if dialect == "postgres" else "")
