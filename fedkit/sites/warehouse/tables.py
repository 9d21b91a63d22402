"""The site's tables: OMOP CDM 5.4, and beside it what the CDM has no place for. The same SQL for DuckDB and Postgres.

Columns as the CDM 5.4 specification lists them (ohdsi.github.io/CommonDataModel/cdm54.html), ids as BIGINT: they are pseudonyms
of 63 bits, made of the source's ids under a key of the store (`fedkit.sites.warehouse.rows`).

Of our own are `fedkit_note` and `fedkit_mention`, one row for each of NOTE and NOTE_NLP, and `fedkit_build`: which build made
what, with which pipeline and model. The texts are in NOTE, what was found in them in NOTE_NLP; no question reaches either.
"""

from __future__ import annotations

#: Concepts of the CDM's standard vocabularies (athena.ohdsi.org) that the tables need; 0 is "no matching concept".
GENDER = {"male": 8507, "female": 8532, "other": 8521}
VISITS = {"inpatient": 9201, "outpatient": 9202, "emergency": 9203}
#: "EHR note" and "EHR encounter record".
NOTE_TYPE, VISIT_TYPE = 32831, 32827
UTF8 = 32678

#: Languages as local concepts, numbered from 2,000,000,000 as OHDSI has it: the CDM's vocabularies are not fedkit's to ship.
LANGUAGE_CONCEPTS = {
    code: (2_000_000_000 + number, f"{name} language")
    for number, (code, name) in enumerate(
        (
            ("nb", "Norwegian Bokmål"),
            ("nn", "Norwegian Nynorsk"),
            ("sv", "Swedish"),
            ("da", "Danish"),
            ("fi", "Finnish"),
            ("et", "Estonian"),
        )
    )
}

#: Table → its columns.
OMOP: dict[str, str] = {
    "person": """person_id BIGINT NOT NULL, gender_concept_id INTEGER NOT NULL, year_of_birth INTEGER NOT NULL,
        month_of_birth INTEGER, day_of_birth INTEGER, birth_datetime TIMESTAMP, race_concept_id INTEGER NOT NULL,
        ethnicity_concept_id INTEGER NOT NULL, location_id BIGINT, provider_id BIGINT, care_site_id BIGINT,
        person_source_value VARCHAR(50), gender_source_value VARCHAR(50), gender_source_concept_id INTEGER,
        race_source_value VARCHAR(50), race_source_concept_id INTEGER, ethnicity_source_value VARCHAR(50),
        ethnicity_source_concept_id INTEGER""",
    "visit_occurrence": """visit_occurrence_id BIGINT NOT NULL, person_id BIGINT NOT NULL, visit_concept_id INTEGER NOT NULL,
        visit_start_date DATE NOT NULL, visit_start_datetime TIMESTAMP, visit_end_date DATE NOT NULL,
        visit_end_datetime TIMESTAMP, visit_type_concept_id INTEGER NOT NULL, provider_id BIGINT, care_site_id BIGINT,
        visit_source_value VARCHAR(50), visit_source_concept_id INTEGER, admitted_from_concept_id INTEGER,
        admitted_from_source_value VARCHAR(50), discharged_to_concept_id INTEGER, discharged_to_source_value VARCHAR(50),
        preceding_visit_occurrence_id BIGINT""",
    "care_site": """care_site_id BIGINT NOT NULL, care_site_name VARCHAR(255), place_of_service_concept_id INTEGER,
        location_id BIGINT, care_site_source_value VARCHAR(50), place_of_service_source_value VARCHAR(50)""",
    "note": """note_id BIGINT NOT NULL, person_id BIGINT NOT NULL, note_date DATE NOT NULL, note_datetime TIMESTAMP,
        note_type_concept_id INTEGER NOT NULL, note_class_concept_id INTEGER NOT NULL, note_title VARCHAR(250),
        note_text TEXT NOT NULL, encoding_concept_id INTEGER NOT NULL, language_concept_id INTEGER NOT NULL,
        provider_id BIGINT, visit_occurrence_id BIGINT, visit_detail_id BIGINT, note_source_value VARCHAR(50),
        note_event_id BIGINT, note_event_field_concept_id INTEGER""",
    "note_nlp": """note_nlp_id BIGINT NOT NULL, note_id BIGINT NOT NULL, section_concept_id INTEGER, snippet VARCHAR(250),
        "offset" VARCHAR(50), lexical_variant VARCHAR(250) NOT NULL, note_nlp_concept_id INTEGER,
        note_nlp_source_concept_id INTEGER, nlp_system VARCHAR(250), nlp_date DATE NOT NULL, nlp_datetime TIMESTAMP,
        term_exists VARCHAR(1), term_temporal VARCHAR(50), term_modifiers VARCHAR(2000)""",
    "concept": """concept_id INTEGER NOT NULL, concept_name VARCHAR(255) NOT NULL, domain_id VARCHAR(20) NOT NULL,
        vocabulary_id VARCHAR(20) NOT NULL, concept_class_id VARCHAR(20) NOT NULL, standard_concept VARCHAR(1),
        concept_code VARCHAR(50) NOT NULL, valid_start_date DATE NOT NULL, valid_end_date DATE NOT NULL,
        invalid_reason VARCHAR(1)""",
    "cdm_source": """cdm_source_name VARCHAR(255) NOT NULL, cdm_source_abbreviation VARCHAR(25) NOT NULL,
        cdm_holder VARCHAR(255) NOT NULL, source_description TEXT, source_documentation_reference VARCHAR(255),
        cdm_etl_reference VARCHAR(255), source_release_date DATE NOT NULL, cdm_release_date DATE NOT NULL,
        cdm_version VARCHAR(10), cdm_version_concept_id INTEGER NOT NULL, vocabulary_version VARCHAR(20) NOT NULL""",
}

#: fedkit_note.made: the digest of the note as it came and of what read it; a note whose digest is the same is not read again.
#: kept: whether the note says whose it is; others are in no view, since a threshold on persons could not hold for them.
#: fedkit_mention.end_offset: NOTE_NLP has an offset and no end.
OURS: dict[str, str] = {
    "fedkit_about": "name VARCHAR(40) NOT NULL, value VARCHAR(1000) NOT NULL",
    "fedkit_note": """note_id BIGINT NOT NULL, person_id BIGINT NOT NULL, visit_id BIGINT, build VARCHAR(64) NOT NULL,
        made VARCHAR(64) NOT NULL, kept BOOLEAN NOT NULL, day DATE, first_day DATE, last_day DATE, sex VARCHAR(10) NOT NULL,
        birth_year INTEGER, visit_kind VARCHAR(20) NOT NULL, type VARCHAR(64) NOT NULL, department VARCHAR(64) NOT NULL,
        language VARCHAR(10) NOT NULL, characters INTEGER NOT NULL, mentions INTEGER NOT NULL""",
    "fedkit_mention": """note_nlp_id BIGINT NOT NULL, note_id BIGINT NOT NULL, end_offset INTEGER NOT NULL,
        label VARCHAR(64) NOT NULL, concept VARCHAR(64) NOT NULL, concept_system VARCHAR(64) NOT NULL,
        negated BOOLEAN NOT NULL, uncertain BOOLEAN NOT NULL, historical BOOLEAN NOT NULL, family BOOLEAN NOT NULL,
        source_model VARCHAR(64) NOT NULL""",
    "fedkit_build": """build VARCHAR(64) NOT NULL, started TIMESTAMP NOT NULL, finished TIMESTAMP, fedkit VARCHAR(40) NOT NULL,
        pipeline VARCHAR(64) NOT NULL, model VARCHAR(250) NOT NULL, model_digest VARCHAR(64) NOT NULL,
        source VARCHAR(250) NOT NULL, notes BIGINT, failed BIGINT""",
}

#: The tables that hold one row or more for each note, and are taken out with it.
OF_A_NOTE = ("note", "note_nlp", "fedkit_note", "fedkit_mention")


def columns(table: str) -> dict[str, str]:
    """Column → its type in SQL, of a table."""
    found = {}
    for part in _split({**OMOP, **OURS}[table]):
        name, _, kind = part.strip().partition(" ")
        found[name.strip('"')] = kind.replace("NOT NULL", "").strip()
    return found


def ddl(prefix: str = "") -> list[str]:
    """The statements that make what is missing. prefix: of names, such as "fedkit_no."."""
    return [f"CREATE TABLE IF NOT EXISTS {prefix}{name} ({text})" for name, text in {**OMOP, **OURS}.items()]


def _split(text: str) -> list[str]:
    """A list of columns at its commas; those within brackets part nothing."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [" ".join(part.split()) for part in parts]
