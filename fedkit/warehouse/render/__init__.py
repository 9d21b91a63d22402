"""A question as the SQL that a site runs, for DuckDB and for Postgres alike, and the rows that come back.

    text = render.sql(question)                                     # one SELECT over the views of the schema
    rows = render.rows(question, connection.execute(text).fetchall())
    # [{"year": "2020", "persons": 112, "rows": 140, …}, …]         groups by name, then question.parts, then question.kept

Nothing here comes from text that somebody typed: names are the schema's, values are constants of a question that was checked.
The statement reads views and nothing else, has one result, and always ends in groups that were declared beforehand.

Without noise it is a plain grouping, or one by person first where sums need a look at who they rest on (dominance). With noise
each person is bounded first (Wilson et al. 2020): at most `rows_per_person` rows in a group, `groups_per_person` groups. Which
ones, says the MD5 of person and group, a fixed draw that depends on nobody else; both engines draw the same.
"""

from __future__ import annotations

from fedkit.warehouse.render.answers import rows
from fedkit.warehouse.render.selecting import select
from fedkit.warehouse.render.statement import sql

__all__ = ["rows", "select", "sql"]
