"""One SELECT as a question: the procedure.

1. The text is looked at and parsed (`text`).            4. The groups, with what the condition implies (`figures`, `implied`).
2. The view.                                             5. The question is checked against the schema.
3. The condition (`conditions`), then the figures (`figures`).
"""

from __future__ import annotations

from fedkit.errors import RequestError
from fedkit.warehouse.implied import implied
from fedkit.warehouse.question import Protection, Question
from fedkit.warehouse.schema import SCHEMA, Schema
from fedkit.warehouse.sql.text import tree


def parse(text: str, protection: Protection | None = None, schema: Schema = SCHEMA) -> Question:
    """The question that one SELECT asks; names after AS are for who reads the SQL.

    protection: rules by default; SQL has no words for it.
    Raises RequestError for whatever is no question, with the near name for one that is not there. Nothing is run.
    """
    from sqlglot import exp

    from fedkit.warehouse.sql.conditions import predicate, source
    from fedkit.warehouse.sql.figures import group, is_group, measure
    from fedkit.warehouse.sql.tree import only

    select = only(tree(text), exp.Select, "expressions", "from_", "where", "group")
    view = schema.view(source(select))
    where = select.args.get("where")
    condition = None if where is None else predicate(only(where, exp.Where, "this").this, view, schema)
    chosen = [only(e, exp.Alias, "this", "alias").this if type(e) is exp.Alias else e for e in select.expressions]
    measures = tuple(measure(e, view) for e in chosen if not is_group(e))
    groups = [group(e, view) for e in chosen if is_group(e)]
    grouping = select.args.get("group")
    by = [] if grouping is None else [group(e, view) for e in only(grouping, exp.Group, "expressions").expressions]
    if {g.column for g in groups} != {g.column for g in by} or any(g not in groups for g in by):
        raise RequestError(
            "the groups are not those that are shown",
            expected=f"GROUP BY {', '.join(g.column for g in groups)}" if groups else "no GROUP BY, or its columns in SELECT",
            got=f"GROUP BY {', '.join(g.column for g in by)}" if by else "no GROUP BY",
            help="a column that is neither grouped nor counted would show single rows",
        )
    if not measures:
        raise RequestError("nothing is counted", expected="a figure, such as COUNT(DISTINCT person_id)", got="columns alone")
    question = Question(
        view.name, measures, condition, tuple(implied(g, view, condition) for g in groups), protection or Protection()
    )
    question.check(schema)
    return question
