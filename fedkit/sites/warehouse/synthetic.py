"""Invented persons, visits, notes and mentions by SQL alone: a site's tables at their full size in seconds, for measurements.

    with DuckDBTables.open(folder) as tables:
        fill(tables, "no", notes=1_000_000, seed=1)

Nobody is meant by any row and no text stands in any. Everything is drawn by the hash of a number and the seed, so the same seed
gives the same tables, whatever the number of threads. Shares are chosen to look like those of a hospital: five notes a person,
ten years, three mentions a note, a few per cent of them of implants; no figure of them says anything of a real one.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from importlib.metadata import version

from fedkit.digests import digest
from fedkit.sites.warehouse.building import counted, make_cdm
from fedkit.sites.warehouse.database import DuckDBTables
from fedkit.sites.warehouse.tables import OF_A_NOTE

#: What reads "synthetic" in the provenance of such tables.
MODEL = "synthetic"

_DEPARTMENTS = ("Cardiology", "Emergency", "Medicine", "Neurology", "Orthopaedics", "Radiology", "Surgery")
_TYPES = ("admission note", "discharge summary", "medication list", "nursing note", "outpatient note", "referral")
_LANGUAGES = {"no": ("nb", "nb", "nb", "nn"), "sv": ("sv",), "da": ("da",), "fi": ("fi", "fi", "fi", "sv"), "et": ("et",)}
#: (label, system, codes): how often each is drawn follows from its place.
CODES = (
    ("DRUG", "ATC", ("B01AA03", "C07AB02", "N02BE01", "A10BA02", "J01CA04", "C09AA05")),
    ("REACTION", "ICD-10", ("L27", "R11", "R42", "K92", "R51")),
    ("BODY_SITE", "fedkit", ("hip", "knee", "chest", "heart")),
    ("IMPLANT", "EMDN", ("J0101", "P0908", "J0201")),
)


def fill(tables: DuckDBTables, site: str, notes: int, seed: int) -> dict[str, int]:
    """Replace what the tables of a site hold by `notes` invented notes, and make the views. Returns rows by view.

    Raises StorageError if there is no room.
    """
    build, started = digest([MODEL, site, notes, seed]), datetime.now(UTC).replace(tzinfo=None)
    with tables.transaction():
        for table in OF_A_NOTE:
            tables.execute(f"DELETE FROM {tables.omop}{table}")
        for statement in _statements(site, notes, seed, build):
            tables.execute(statement)
    tables.insert(
        "fedkit_build",
        [
            {
                "build": secrets.token_hex(32),
                "started": started,
                "finished": datetime.now(UTC).replace(tzinfo=None),
                "fedkit": version("fedkit"),
                "pipeline": build,
                "model": MODEL,
                "model_digest": "",
                "source": f"seed {seed}",
                "notes": notes,
                "failed": 0,
            }
        ],
    )
    make_cdm(tables, site)
    tables.make_views(site)
    return {name: count for name, count in counted(tables).items() if name != "unnamed"}


def _statements(site: str, notes: int, seed: int, build: str) -> list[str]:
    persons = max(1, notes // 5)
    key = f"{site}:{seed}".replace("'", "''")

    def draw(what: str, of: str) -> str:
        """A number from 0 up that depends on what is drawn for which row, and on nothing else."""
        return f"(hash('{key}:{what}' || ({of})) >> 2)::BIGINT"

    def pick(words: tuple[str, ...], what: str, of: str) -> str:
        listed = ", ".join(f"'{word}'" for word in words)
        return f"[{listed}][1 + ({draw(what, of)} % {len(words)})::INTEGER]"

    languages = _LANGUAGES.get(site, ("nb",))
    note = f"""INSERT INTO omop.fedkit_note
        SELECT 1 + i, 1 + person, visit, '{build}', '{build}', true, day, day,
            CAST(day + ({draw("stay", "visit")} % 9)::INTEGER AS DATE),
            CASE WHEN {draw("sex", "person")} % 100 < 52 THEN 'female' ELSE 'male' END,
            1930 + ({draw("born", "person")} % 80)::INTEGER,
            {pick(("inpatient", "outpatient", "outpatient", "emergency"), "kind", "visit")},
            {pick(_TYPES, "type", "i")}, {pick(_DEPARTMENTS, "department", "visit")}, {pick(languages, "language", "person")},
            200 + ({draw("length", "i")} % 3000)::INTEGER, ({draw("many", "i")} % 7)::INTEGER
        FROM (SELECT i, person, 1 + i // 2 AS visit,
                CAST(DATE '2015-01-01' + ({draw("day", "i // 2")} % 3650)::INTEGER AS DATE) AS day
            FROM (SELECT i, {draw("person", "i // 2")} % {persons} AS person FROM range({notes}) AS numbers(i)) AS rows)"""
    text = """INSERT INTO omop.note (note_id, person_id, note_date, note_type_concept_id, note_class_concept_id, note_text,
            encoding_concept_id, language_concept_id, visit_occurrence_id)
        SELECT note_id, person_id, day, 32831, 0, '', 32678, 0, visit_id FROM omop.fedkit_note"""
    kinds = [(label, system, code) for label, system, codes in CODES for code in codes]
    # Of 64 lots the first kinds have more than the last.
    lots = sorted(range(64), key=lambda lot: (lot % len(kinds), lot))
    drawn = {part: tuple(kinds[lots[lot] % len(kinds)][part] for lot in range(64)) for part in range(3)}
    mention = f"""INSERT INTO omop.fedkit_mention
        SELECT id, note_id, 10, {pick(drawn[0], "kind of", "id")}, {pick(drawn[2], "kind of", "id")},
            {pick(drawn[1], "kind of", "id")}, {draw("negated", "id")} % 100 < 12, {draw("uncertain", "id")} % 100 < 5,
            {draw("historical", "id")} % 100 < 20, {draw("family", "id")} % 100 < 3, '{MODEL}'
        FROM (SELECT note_id * 8 + m AS id, note_id FROM omop.fedkit_note, range(7) AS places(m) WHERE m < mentions) AS rows"""
    nlp = f"""INSERT INTO omop.note_nlp (note_nlp_id, note_id, "offset", lexical_variant, nlp_system, nlp_date, term_exists)
        SELECT note_nlp_id, note_id, '0', '', '{MODEL}', DATE '2026-01-01', CASE WHEN negated THEN 'N' ELSE 'Y' END
        FROM omop.fedkit_mention"""
    return [note, text, mention, nlp]
