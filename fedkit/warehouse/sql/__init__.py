"""Questions typed as SQL, and written as SQL.

    question = sql.parse("SELECT site, year, COUNT(DISTINCT person_id) FROM mentions"
                         " WHERE label = 'IMPLANT' AND year BETWEEN 2020 AND 2024 GROUP BY site, year")
    sql.write(question)                                   # what `parse` makes the same question of

What is typed is taken apart where it is typed: it becomes a question, which is data, or a RequestError that says what does not
fit. It is never run and never sent. What SQL means here, it means in DuckDB and Postgres as well, NULL included.

What can be typed: one SELECT from one view. Figures: COUNT(*), COUNT(DISTINCT person_id | note_id | visit_id), SUM, AVG,
VARIANCE (or VAR_SAMP) of a number, SUM(x * x); with bounds as `AVG(CASE WHEN x < 0 THEN 0 WHEN x > 9 THEN 9 ELSE x END)`.
Conditions: = <> < <= > >= BETWEEN, IN, LIKE 'A10%' (STARTS_WITH), AND, OR, NOT, IS [NOT] TRUE;
person_id IN (SELECT person_id FROM …).
Groups: columns, whose values the condition has to imply, or a CASE whose branches are named as fedkit names them.
"""

from __future__ import annotations

from fedkit.warehouse.sql.parsing import parse
from fedkit.warehouse.sql.writing import write

__all__ = ["parse", "write"]
