"""The four views of the schema as tables of their own, made of the OMOP tables when a build ends.

Tables and not views over the OMOP tables, for two reasons. Questions are asked of a file (a database schema, in Postgres) that
holds no text, no words of a text and no source's id, so whatever went wrong in front of it, none could come out. And a count
over a million notes joins nothing.

What the schema promises holds after this: categories that are closed have declared values only, numbers outside what they can
be are NULL, and every row is of a person with at least one note that says whose it is.
"""

from __future__ import annotations

from fedkit.errors import SiteError
from fedkit.warehouse.schema import SCHEMA, UNKNOWN, Column, Schema

#: Kind of column → its type in SQL; whole numbers as INTEGER, others as DOUBLE PRECISION.
TYPES = {"category": "VARCHAR", "date": "DATE", "id": "BIGINT"}

#: Not LEAST and GREATEST, which take a missing date for a bound.
_AGE = "CASE WHEN {years} > 90 THEN 90 ELSE {years} END".replace("{years}", "EXTRACT(YEAR FROM {day}) - p.birth_year")

#: The tens of an age; FLOOR and not "/", which parts whole numbers in Postgres and makes fractions in DuckDB.
_TENS = "CAST(FLOOR(GREATEST(e.year - q.birth_year, 0) / 10.0) * 10 AS INTEGER)"

#: One row for each person, with what its notes say of it; needed by all the views.
_PERSONS = """
    SELECT person_id, MAX(CASE WHEN sex <> 'unknown' THEN sex END) AS sex,
        MAX(birth_year) AS birth_year, COUNT(*) AS notes
    FROM {omop}fedkit_note WHERE kept GROUP BY person_id"""

#: Each person's language is that of most notes; the first by name where there are two.
_LANGUAGES = """
    SELECT person_id, language FROM (
        SELECT person_id, language, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY COUNT(*) DESC, language) AS place
        FROM {omop}fedkit_note WHERE kept GROUP BY person_id, language) AS counted WHERE place = 1"""

_PATIENTS = """
    SELECT q.person_id, '{site}' AS site, COALESCE(q.sex, 'unknown') AS sex, q.birth_year,
        CASE WHEN q.birth_year IS NULL THEN 'unknown' WHEN e.year - q.birth_year >= 90 THEN '90+'
            ELSE CAST({tens} AS VARCHAR) || '-' || CAST({tens} + 9 AS VARCHAR) END AS age_band,
        l.language, q.notes
    FROM (SELECT person_id, sex, CAST(birth_year AS INTEGER) AS birth_year, notes FROM ({persons}) AS of_notes) AS q
    JOIN ({languages}) AS l ON l.person_id = q.person_id
    CROSS JOIN (SELECT CAST(EXTRACT(YEAR FROM MAX(day)) AS INTEGER) AS year FROM {omop}fedkit_note) AS e"""

_VISITS = """
    SELECT v.person_id, v.visit_occurrence_id AS visit_id, '{site}' AS site, p.sex, p.birth_year, p.age_band,
        v.visit_start_date AS date, {when}, {age},
        CASE v.visit_concept_id WHEN 9201 THEN 'inpatient' WHEN 9202 THEN 'outpatient' WHEN 9203 THEN 'emergency'
            WHEN 0 THEN 'unknown' ELSE 'other' END AS kind,
        COALESCE(c.care_site_name, 'unknown') AS department, v.visit_end_date - v.visit_start_date AS days
    FROM {omop}visit_occurrence AS v JOIN {views}patients AS p ON p.person_id = v.person_id
    LEFT JOIN {omop}care_site AS c ON c.care_site_id = v.care_site_id"""

_NOTES = """
    SELECT n.person_id, n.note_id, n.visit_id, '{site}' AS site, p.sex, p.birth_year, p.age_band,
        n.day AS date, {when}, {age}, n.type, n.department, n.language, n.characters, n.mentions
    FROM {omop}fedkit_note AS n JOIN {views}patients AS p ON p.person_id = n.person_id WHERE n.kept"""

_MENTIONS = """
    SELECT n.person_id, n.note_id, n.visit_id, n.site, n.sex, n.birth_year, n.age_band,
        n.date, n.year, n.quarter, n.month, n.age, n.type, n.department, n.language,
        m.label, m.concept, m.concept_system, {flags}, m.source_model
    FROM {omop}fedkit_mention AS m JOIN {views}notes AS n ON n.note_id = m.note_id"""

#: Which build the views are of; of it, too, nothing of a note or of a path.
_BUILT = """CREATE TABLE {views}built AS SELECT build, finished, fedkit, pipeline, model, model_digest, notes, failed,
    CAST('{layout}' AS VARCHAR) AS layout FROM {omop}fedkit_build WHERE finished IS NOT NULL ORDER BY finished DESC LIMIT 1"""

_SELECTS = {"patients": _PATIENTS, "visits": _VISITS, "notes": _NOTES, "mentions": _MENTIONS}
_DAYS = {"visits": "v.visit_start_date", "notes": "n.day"}


def statements(site: str, omop: str, views: str, schema: Schema = SCHEMA) -> list[str]:
    """The statements that make the views, in their order. omop, views: prefixes of names ("omop.", "views.")."""
    made = []
    for name, view in schema.views.items():
        day = _DAYS.get(name, "")
        text = _SELECTS[name].format(
            site=site.replace("'", "''"),
            omop=omop,
            views=views,
            persons=_PERSONS.format(omop=omop),
            languages=_LANGUAGES.format(omop=omop),
            tens=_TENS,
            when=", ".join(f"EXTRACT({part} FROM {day}) AS {part}" for part in ("year", "quarter", "month")),
            age=f"{_AGE.format(day=day)} AS age",
            flags=", ".join(
                f"CASE WHEN m.{flag} THEN 'yes' ELSE 'no' END AS {flag}"
                for flag in ("negated", "uncertain", "historical", "family")
            ),
        )
        kept = ", ".join(f'{_kept(column)} AS "{column.name}"' for column in view.columns)
        made.append(f"CREATE TABLE {views}{name} AS SELECT {kept} FROM ({text}) AS made")
    made.append(_BUILT.format(omop=omop, views=views, layout=schema.digest))
    return made


def type_of(column: Column) -> str:
    """The type of a column of a view."""
    return TYPES.get(column.kind) or ("INTEGER" if column.whole else "DOUBLE PRECISION")


def check(found: dict[str, dict[str, str]], site: str, schema: Schema = SCHEMA) -> None:
    """Hold a site's tables against the schema. found: view → column → its type, as `information_schema` has them.

    Raises SiteError that names the first view and column that differ; nothing is asked of such tables.
    """
    for name, view in schema.views.items():
        expected = {column.name: _PLAIN[type_of(column)] for column in view.columns}
        got = {column: _PLAIN.get(kind, "another type") for column, kind in found.get(name, {}).items()}
        if expected == got:
            continue
        missing = [column for column in expected if column not in got]
        differ = [column for column in expected if column in got and expected[column] != got[column]]
        more = [column for column in got if column not in expected]
        said = "; ".join(
            f"{words} {', '.join(columns[:3])}"
            for words, columns in (("no", missing), ("another type of", differ), ("beyond it", more))
            if columns
        )
        raise SiteError(
            f"{site}: the view {name} is not that of this version of fedkit",
            expected=f"{len(expected)} columns of schema {schema.digest[:12]}",
            got=said if got else "no such view",
            help="ask the site's admin to build the warehouse again: fedkit warehouse build",
        )


#: What the two databases call the same type.
_PLAIN = {
    "VARCHAR": "words",
    "character varying": "words",
    "text": "words",
    "DATE": "date",
    "date": "date",
    "BIGINT": "id",
    "bigint": "id",
    "INTEGER": "whole",
    "integer": "whole",
    "DOUBLE PRECISION": "number",
    "DOUBLE": "number",
    "double precision": "number",
}


def _kept(column: Column) -> str:
    """A column as its declaration promises it."""
    name = f'"{column.name}"'
    if column.kind == "number":
        limits = f"{name} BETWEEN {column.low:.0f} AND {column.high:.0f}"
        return f"CAST(CASE WHEN {limits} THEN {name} END AS {type_of(column)})"
    if column.kind == "category":
        if column.open or not column.values:
            return f"CAST(COALESCE({name}, '{UNKNOWN}') AS VARCHAR)"
        listed = ", ".join(f"'{value}'" for value in column.values)
        return f"CAST(CASE WHEN {name} IN ({listed}) THEN {name} ELSE '{UNKNOWN}' END AS VARCHAR)"
    return f"CAST({name} AS {type_of(column)})"
