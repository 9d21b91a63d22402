"""From notes to the site's tables: in parallel, resumable after `kill -9`, and only what has changed.

    with DuckDBTables.open(folder) as tables:
        report = build(tables, "no", StoreSource(store), model=Path("release"))

1. The build gets a name and a row in `fedkit_build`: what reads the notes, by digests, and when.
2. Notes whose digest is in the tables already, made by the same pipeline and model, are passed over.
3. The others go through the text pipeline in worker processes, and through the model, if there is one.
4. Each batch is one transaction: what it replaces goes, what it makes comes. A build that was cut off goes on behind it.
5. Notes that the source does not have any more go.
6. PERSON, VISIT_OCCURRENCE and CARE_SITE are made of what the notes say, and the views of all of them, in one step each.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.digests import digest, digest_folder
from fedkit.errors import ConfigurationError
from fedkit.notes.pipeline import Settings
from fedkit.notes.processing import Batch, Done, read_batches
from fedkit.sites.warehouse.database import Tables
from fedkit.sites.warehouse.rows import Rows
from fedkit.sites.warehouse.sources import NoteSource
from fedkit.sites.warehouse.tables import GENDER, LANGUAGE_CONCEPTS, OF_A_NOTE, VISIT_TYPE, VISITS

if TYPE_CHECKING:
    from fedkit.ner.models.base import TaggerModel
    from fedkit.notes.note import Note
    from fedkit.notes.span import Span

#: What of the pipeline the tables need. Abbreviations and identifiers are no mentions.
STEPS = ("language", "sections", "sentences", "concepts", "context")

#: Fewer notes than these are read in this process: workers take longer to start.
FEW = 2_000


@dataclass(frozen=True)
class BuildReport:
    """build: its name.   read, same, gone: notes that were read now, left as they were, and taken out.

    failed: reason → notes that could not be read; they are in no table.   unnamed: notes that say not whose they are, which are
    in no view.   persons, visits, notes, mentions: rows of the views now.
    """

    build: str
    pipeline: str
    model: str = ""
    model_digest: str = ""
    read: int = 0
    same: int = 0
    gone: int = 0
    unnamed: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    persons: int = 0
    visits: int = 0
    notes: int = 0
    mentions: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def build(
    tables: Tables,
    site: str,
    source: NoteSource,
    *,
    settings: Settings | None = None,
    model: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BuildReport:
    """Bring the tables up to the source. Returns what was done; see the module for the steps.

    model: the folder of a released model; its mentions come beside those of the source and the pipeline.
    workers: processes for the pipeline; None for one a core.   progress: called with notes done and in all.
    Raises StorageError, ConfigurationError, TrainingError (no model in that folder), CorpusError; what was saved stays.
    """
    settings = settings or Settings(steps=STEPS)
    tagger = Tagger.load(model) if model is not None else None
    total, started = source.count(), datetime.now(UTC).replace(tzinfo=None)
    # 1.
    recipe = digest([settings.print, tagger.digest if tagger else ""])
    name = secrets.token_hex(32)
    rows = Rows(_key(tables), name, recipe, f"fedkit {settings.print[:12]}")
    row: dict[str, Any] = {"build": name, "started": started, "fedkit": version("fedkit"), "pipeline": settings.print}
    row |= {"model": tagger.name if tagger else "", "model_digest": tagger.digest if tagger else "", "source": source.name}
    tables.insert("fedkit_build", [row])
    # 2. and 3.
    seen: list[int] = []
    same = 0

    def pending() -> Iterator[Batch]:
        nonlocal same
        for batch in source.batches():
            new = _changed(tables, rows, batch, seen)
            same += len(batch) - len(new)
            if new:
                yield new

    failed: dict[str, int] = {}
    read = 0
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if total > FEW else 1
    kept: list[Batch] = []  # batches on their way, as they came

    def on_their_way() -> Iterator[Batch]:
        for batch in pending():
            kept.append(batch)
            yield batch

    for done in read_batches(on_their_way(), settings, workers):
        _save(tables, rows, dict(kept.pop(0)), done, tagger)
        read += len(done.notes)
        for _, reason in done.failed:
            failed[reason] = failed.get(reason, 0) + 1
        progress(same + read + sum(failed.values()), total)
    # 5. and 6.
    gone = _take_out(tables, seen)
    make_cdm(tables, site)
    finished = [datetime.now(UTC).replace(tzinfo=None), len(seen) - sum(failed.values()), sum(failed.values()), name]
    tables.execute(f"UPDATE {tables.omop}fedkit_build SET finished = ?, notes = ?, failed = ? WHERE build = ?", finished)
    tables.make_views(site)
    progress(total, total)
    counts = counted(tables)
    return BuildReport(name, settings.print, row["model"], row["model_digest"], read, same, gone, failed=failed, **counts)


def counted(tables: Tables) -> dict[str, int]:
    """Rows of what the views hold, and notes that are in none since they say not whose they are."""
    omop = tables.omop
    (notes, unnamed), persons, visits, mentions = (
        tables.rows(sql)[0]
        for sql in (
            f"SELECT COUNT(*) FILTER (WHERE kept), COUNT(*) FILTER (WHERE NOT kept) FROM {omop}fedkit_note",
            f"SELECT COUNT(DISTINCT person_id) FROM {omop}fedkit_note WHERE kept",
            f"SELECT COUNT(*) FROM {omop}visit_occurrence",
            f"SELECT COUNT(*) FROM {omop}fedkit_mention m JOIN {omop}fedkit_note n ON n.note_id = m.note_id WHERE n.kept",
        )
    )
    return {"notes": notes, "unnamed": unnamed, "persons": persons[0], "visits": visits[0], "mentions": mentions[0]}


@dataclass(frozen=True)
class Tagger:
    """A released model. name: its folder's and the beginning of its digest; digest: of all its files."""

    name: str
    digest: str
    model: TaggerModel

    @classmethod
    def load(cls, folder: Path) -> Tagger:
        """Raises ConfigurationError if there is no such folder, TrainingError if it holds no model."""
        from fedkit.ner.models import load

        if not folder.is_dir():
            raise ConfigurationError("no model there", expected="the folder of a released model", got="no folder of that name")
        found = digest_folder(folder)
        return cls(f"{folder.name[:40]}@{found[:12]}", found, load(folder))

    def find(self, notes: list[Note]) -> list[tuple[Span, ...]]:
        """The mentions in each note."""
        return self.model.predict(notes)


# --- the steps -----------------------------------------------------------------------------------------------------------


def _key(tables: Tables) -> bytes:
    """The key of the store's pseudonyms, made once."""
    found = tables.rows(f"SELECT value FROM {tables.omop}fedkit_about WHERE name = 'key'")
    if found:
        return bytes.fromhex(found[0][0])
    key = secrets.token_bytes(32)
    tables.insert("fedkit_about", [{"name": "key", "value": key.hex()}])
    return key


def _changed(tables: Tables, rows: Rows, batch: Batch, seen: list[int]) -> Batch:
    """The notes of a batch that are not in the tables as they are. seen: gets the pseudonyms of all of them."""
    ids = [rows.note_id(note) for _, note in batch]
    seen.extend(ids)
    sql = f"SELECT note_id, made FROM {tables.omop}fedkit_note WHERE note_id IN (SELECT unnest(?::BIGINT[]))"
    there = dict(tables.rows(sql, [ids]))
    return [(at, note) for id, (at, note) in zip(ids, batch, strict=True) if there.get(id) != rows.made(note)]


def _save(tables: Tables, rows: Rows, came: dict[int, Note], done: Done, tagger: Tagger | None) -> None:
    """What became of one batch, in place of what the tables hold of its notes."""
    read = [note for _, note in done.notes]
    found: list[tuple[Span, ...]] = tagger.find(read) if tagger else [()] * len(read)
    name = tagger.name if tagger else ""
    made = [rows.of(came[at], note, name, spans) for (at, note), spans in zip(done.notes, found, strict=True)]
    ids = [rows.note_id(note) for note in came.values()]
    with tables.transaction():
        for table in OF_A_NOTE:
            tables.delete(table, ids)
        tables.insert("note", [note for note, _, _, _ in made])
        tables.insert("fedkit_note", [ours for _, ours, _, _ in made])
        tables.insert("note_nlp", list(itertools.chain.from_iterable(nlp for _, _, nlp, _ in made)))
        tables.insert("fedkit_mention", list(itertools.chain.from_iterable(more for _, _, _, more in made)))


def _take_out(tables: Tables, seen: list[int]) -> int:
    """Take out the notes that the source does not have any more; returns how many."""
    known = set(seen)
    gone = [id for (id,) in tables.rows(f"SELECT note_id FROM {tables.omop}fedkit_note") if id not in known]
    with tables.transaction():
        for table in OF_A_NOTE:
            tables.delete(table, gone)
    return len(gone)


def make_cdm(tables: Tables, site: str) -> None:
    """PERSON, VISIT_OCCURRENCE, CARE_SITE and CDM_SOURCE, of what the notes say."""
    omop = tables.omop
    genders = " ".join(f"WHEN '{word}' THEN {concept}" for word, concept in GENDER.items())
    visits = " ".join(f"WHEN '{word}' THEN {concept}" for word, concept in VISITS.items())
    today = datetime.now(UTC).date()
    with tables.transaction():
        for table in ("person", "visit_occurrence", "care_site", "concept", "cdm_source"):
            tables.execute(f"DELETE FROM {omop}{table}")
        tables.execute(
            f"INSERT INTO {omop}person (person_id, gender_concept_id, year_of_birth, race_concept_id, ethnicity_concept_id,"
            f" gender_source_value) SELECT person_id, CASE MAX(CASE WHEN sex <> 'unknown' THEN sex END) {genders} ELSE 0 END,"
            " COALESCE(MAX(birth_year), 0), 0, 0, MAX(CASE WHEN sex <> 'unknown' THEN sex END)"
            f" FROM {omop}fedkit_note GROUP BY person_id"
        )
        tables.execute(
            f"INSERT INTO {omop}care_site (care_site_id, care_site_name, place_of_service_concept_id)"
            " SELECT ROW_NUMBER() OVER (ORDER BY department), department, 0"
            f" FROM (SELECT DISTINCT department FROM {omop}fedkit_note WHERE department <> 'unknown') AS named"
        )
        tables.execute(
            f"INSERT INTO {omop}visit_occurrence (visit_occurrence_id, person_id, visit_concept_id, visit_start_date,"
            " visit_end_date, visit_type_concept_id, care_site_id)"
            f" SELECT v.visit_id, v.person_id, CASE v.kind {visits} ELSE 0 END, v.first_day, v.last_day, {VISIT_TYPE},"
            " c.care_site_id FROM (SELECT visit_id, MIN(person_id) AS person_id, MAX(CASE WHEN visit_kind <> 'unknown' THEN"
            " visit_kind END) AS kind, MIN(first_day) AS first_day, MAX(last_day) AS last_day, MIN(department) AS department"
            f" FROM {omop}fedkit_note WHERE kept AND visit_id IS NOT NULL AND first_day IS NOT NULL GROUP BY visit_id) AS v"
            f" LEFT JOIN {omop}care_site AS c ON c.care_site_name = v.department"
        )
        always: dict[str, Any] = {"domain_id": "Language", "vocabulary_id": "fedkit", "concept_class_id": "Language"}
        always |= {"valid_start_date": date(1970, 1, 1), "valid_end_date": date(2099, 12, 31)}
        languages = LANGUAGE_CONCEPTS.items()
        concepts = [{"concept_id": id, "concept_name": name, "concept_code": code, **always} for code, (id, name) in languages]
        tables.insert("concept", concepts)
        source: dict[str, Any] = {"cdm_source_name": f"fedkit warehouse of {site}"[:255], "cdm_source_abbreviation": site[:25]}
        source |= {"cdm_holder": site[:255], "source_release_date": today, "cdm_release_date": today, "cdm_version": "5.4"}
        tables.insert("cdm_source", [{**source, "cdm_version_concept_id": 756265, "vocabulary_version": "none"}])
