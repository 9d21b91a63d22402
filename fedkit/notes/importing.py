"""Importing notes: every record of a source into a file of notes, or into the report of what was skipped and why.

1. A source is cut into units: a file of a folder each, or a database.
2. Of each unit, the records that the store does not hold yet are read in batches.
3. Each batch is one transaction: its notes, what was wrong with them, and how far the unit has come. So an import that was cut
   off goes on behind its last batch, and a second run of a finished one adds nothing.
4. A unit whose content or rules have changed is imported afresh: what came from its earlier form is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fedkit.digests import digest
from fedkit.errors import CorpusError
from fedkit.notes.readers import FORMATS, detect, omop
from fedkit.notes.readers.base import NoteReader, Problem, Record, Rules
from fedkit.notes.readers.omop import Rows
from fedkit.notes.store import NoteFile

BATCH_RECORDS = 500
BATCH_CHARACTERS = 4_000_000  # a batch of long notes is shorter, so that memory stays flat


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a source that is read in one go.

    key: names it for ever (an absolute path, a database); name: what reports call it; print: changes with its content or rules.
    read: its records without the first so many.
    """

    key: str
    name: str
    format: str
    print: str
    read: Callable[[int], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a store holds of its sources.

    added: notes of this run; labels and languages are theirs. problems: kind → how many; skipped: kind → how many of them cost
    a whole record. places: (kind, place, detail) of the first problems of each kind.
    """

    units: int
    records: int
    notes: int
    added: int
    problems: dict[str, int]
    skipped: dict[str, int]
    places: list[tuple[str, str, str]]
    labels: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data, for a file."""
        return asdict(self)


def units_of(source: Path, rules: Rules, format: str | None = None) -> list[Unit]:
    """The units of a file or folder, in order. format: a name of `FORMATS`; None finds it out.

    Raises CorpusError for a source that is not there, empty, or of no or several formats.
    """
    source = Path(source)
    kind = FORMATS.get(format) if format else detect(source)
    if kind is None:
        raise CorpusError(f"no such format: {format}", expected=", ".join(FORMATS), got="another word")
    if source.is_dir():
        paths = kind.files(source)
        if not paths:
            raise CorpusError(f"{source}: nothing to import", expected=f"files of {kind.title}", got="none in this folder")
        return [_unit(path, path.relative_to(source).as_posix(), kind, rules) for path in paths]
    if not source.is_file():
        raise CorpusError(f"{source}: nothing to import", expected="a file or a folder", got="nothing at this path")
    return [_unit(source, source.name, kind, rules)]


def database_unit(database: Rows, name: str, rules: Rules, schema: str | None = None) -> Unit:
    """The unit of an OMOP CDM behind an open connection, such as `fedkit.sites.postgres.Postgres`."""

    def read(after: int) -> Iterator[Record]:
        return omop.notes_of(database, name, rules, schema, after)

    stamp = f"{omop.fingerprint(database, name, schema)}:{digest(_plain(rules))}"
    return Unit(key=f"{name}/{schema or ''}", name=name, format=omop.OmopReader.name, print=stamp, read=read)


def import_notes(
    store: NoteFile, units: Iterable[Unit], progress: Callable[[Unit, int], None] = lambda unit, records: None
) -> ImportReport:
    """Bring these units into the store and say what it holds then.

    progress: called with a unit and the number of its records so far, for each batch. Raises StorageError if the disk is full
    or read-only; then everything up to the last whole batch is in the store, and the same call goes on from there.
    """
    labels: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for unit in units:
        number, done, finished = _begin(store, unit)
        progress(unit, done)
        if finished:
            continue
        whole = True
        for batch in _batches(unit.read(done)):
            # What the system could not read is no record: the next run begins there.
            broken = sum(any(p.kind == "disk" for p in record.problems) for record in batch)
            whole, done = whole and not broken, done + len(batch) - broken
            for note in _save(store, number, done, batch):
                languages[note.language] += 1
                labels.update(span.label for span in note.spans)
            progress(unit, done)
        if whole:
            with store.transaction():
                store.database.execute("UPDATE units SET finished = true WHERE unit = ?", [number])
    return _report(store, languages.total(), labels, languages)


def describe_imports(store: NoteFile) -> ImportReport:
    """The report of all imports into a store."""
    return _report(store, 0, Counter(), Counter())


def _unit(path: Path, name: str, kind: type[NoteReader], rules: Rules) -> Unit:
    reader = kind(rules)
    try:
        content = kind.fingerprint(path)
    except OSError:
        content = ""  # reading it will say why
    return Unit(
        key=str(path.resolve()),
        name=name,
        format=kind.name,
        print=f"{content}:{digest(_plain(rules))}",
        read=lambda after: reader.read(path, name=name, after=after),
    )


def _plain(rules: Rules) -> dict[str, Any]:
    row = asdict(rules)
    return row | {"labels": None if rules.labels is None else sorted(rules.labels)}


def _begin(store: NoteFile, unit: Unit) -> tuple[int, int, bool]:
    """(number, records that the store holds, finished) of a unit, made new where it is new or has changed."""
    found = store.database.execute("SELECT unit, print, records, finished FROM units WHERE name = ?", [unit.key]).fetchall()
    if found and found[0][1] == f"{unit.format}:{unit.print}":
        store.database.execute("DELETE FROM problems WHERE unit = ? AND kind = 'disk'", [found[0][0]])
        return found[0][0], found[0][2], found[0][3]
    with store.transaction():
        if found:
            number = found[0][0]
            store.database.execute(
                "DELETE FROM results WHERE position IN (SELECT position FROM notes WHERE unit = ?)", [number]
            )
            for table in ("notes", "problems", "units"):
                store.database.execute(f"DELETE FROM {table} WHERE unit = ?", [number])
        else:
            number = store.database.execute("SELECT coalesce(max(unit), 0) + 1 FROM units").fetchall()[0][0]
        row = (number, unit.key, unit.format, f"{unit.format}:{unit.print}", 0, False)
        store.database.execute("INSERT INTO units VALUES (?, ?, ?, ?, ?, ?)", list(row))
    return number, 0, False


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    characters = 0
    for record in records:
        batch.append(record)
        characters += len(record.note.text) if record.note else 0
        if len(batch) >= BATCH_RECORDS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _save(store: NoteFile, unit: int, done: int, batch: list[Record]) -> list[Any]:
    """One batch into the store; the notes that went in."""
    taken: dict[str, str] = dict(
        store.database.execute(
            "SELECT id, place FROM notes WHERE id IN (SELECT unnest(?::VARCHAR[]))", [[r.note.id for r in batch if r.note]]
        ).fetchall()
    )
    kept, problems = [], []
    for record in batch:
        found = list(record.problems)
        note = record.note
        if note is not None and note.id in taken:
            found.append(Problem("id twice", f"as {taken[note.id]}"))
            note = None
        if note is not None:
            taken[note.id] = record.place
            kept.append((record.place, note))
        # The last problem of a skipped record is the one that cost it.
        problems += [(unit, record.place, p.kind, p.detail, note is None and i == len(found) - 1) for i, p in enumerate(found)]
    with store.transaction():
        store.append(unit, kept)
        if problems:
            store.insert("problems", problems)
        store.database.execute("UPDATE units SET records = ? WHERE unit = ?", [done, unit])
    return [note for _, note in kept]


def _report(store: NoteFile, added: int, labels: Counter[str], languages: Counter[str]) -> ImportReport:
    sums = store.database.execute(
        "SELECT kind, count(*), count(*) FILTER (WHERE skipped) FROM problems GROUP BY kind ORDER BY kind"
    ).fetchall()
    places = []
    for kind, _, _ in sums:  # by kind: a window over the row ids is an internal error of DuckDB 2.0.0
        places += store.database.execute(
            "SELECT kind, place, detail FROM problems WHERE kind = ? ORDER BY unit, rowid LIMIT 5", [kind]
        ).fetchall()
    units, records = store.database.execute("SELECT count(*), coalesce(sum(records), 0) FROM units").fetchall()[0]
    return ImportReport(
        units=units,
        records=int(records),
        notes=store.count(),
        added=added,
        problems={kind: count for kind, count, _ in sums},
        skipped={kind: lost for kind, _, lost in sums if lost},
        places=places,
        labels=dict(sorted(labels.items())),
        languages=dict(sorted(languages.items())),
    )
