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
from fedkit.notes.note import Note
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

    progress: called with a unit and the number of its records that are in the store. Raises StorageError if the disk is full
    or read-only; then everything up to the last whole batch is in the store, and the same call goes on from there.
    """
    labels: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for batch in _batches(_pieces(store, units, progress)):
        for note in _save(store, batch):
            languages[note.language] += 1
            labels.update(span.label for span in note.spans)
        for piece in batch:
            progress(piece.unit, piece.done)
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some records of one unit. known: the store has heard of it; begins: what it holds of it goes; ends: they are its last."""

    unit: Unit
    number: int
    records: tuple[Record, ...]
    done: int
    known: bool
    begins: bool
    ends: bool


def _pieces(store: NoteFile, units: Iterable[Unit], progress: Callable[[Unit, int], None]) -> Iterator[_Piece]:
    """The records that the store does not hold yet, a unit after the other, in pieces no larger than a batch."""
    held = {name: rest for name, *rest in store.rows("SELECT name, unit, print, records, finished FROM units")}
    new = max((rest[0] for rest in held.values()), default=0)
    for unit in units:
        known = unit.key in held
        number, stamp, done, finished = held.get(unit.key, (new + 1, "", 0, False))
        new = max(new, number)
        same = stamp == _stamp(unit)
        done = done if same else 0
        progress(unit, done)
        if same and finished:
            continue
        begins, whole, records, characters = not same, True, [], 0
        for record in unit.read(done):
            broken = any(problem.kind == "disk" for problem in record.problems)
            # What the system could not read is no record: the next run begins there.
            whole, done = whole and not broken, done + (not broken)
            records.append(record)
            characters += len(record.note.text) if record.note else 0
            if len(records) >= BATCH_RECORDS or characters >= BATCH_CHARACTERS:
                yield _Piece(unit, number, tuple(records), done, known, begins, False)
                known, begins, records, characters = True, False, [], 0
        yield _Piece(unit, number, tuple(records), done, known, begins, whole)


def _batches(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces that are saved together: small files share a transaction, since each costs the disk a wait."""
    batch: list[_Piece] = []
    size = characters = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece.records) + 1
        characters += sum(len(record.note.text) for record in piece.records if record.note)
        if size >= BATCH_RECORDS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, size, characters = [], 0, 0
    if batch:
        yield batch


def _save(store: NoteFile, batch: list[_Piece]) -> list[Note]:
    """One batch into the store, whole or not at all; the notes that went in."""
    with store.transaction():
        for piece in batch:
            if piece.known:
                _forget(store, piece)
        last = {piece.number: piece for piece in batch}  # a unit may end in the batch in which it begins
        store.insert("units", [(n, p.unit.key, p.unit.format, _stamp(p.unit), p.done, p.ends) for n, p in last.items()])
        ids = [record.note.id for piece in batch for record in piece.records if record.note]
        taken = dict(store.rows("SELECT id, place FROM notes WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids]))
        kept: list[tuple[int, str, Note]] = []
        problems = []
        for piece in batch:
            for record in piece.records:
                found, note = list(record.problems), record.note
                if note is not None and note.id in taken:
                    found.append(Problem("id twice", f"as {taken[note.id]}"))
                    note = None
                if note is not None:
                    taken[note.id] = record.place
                    kept.append((piece.number, record.place, note))
                # The last problem of a skipped record is the one that cost it.
                problems += [
                    (piece.number, record.place, p.kind, p.detail, note is None and i == len(found) - 1)
                    for i, p in enumerate(found)
                ]
        store.append_all(kept)
        if problems:
            store.insert("problems", problems)
    return [note for _, _, note in kept]


def _forget(store: NoteFile, piece: _Piece) -> None:
    """How far a unit had come; of one that begins afresh, what came from its earlier form as well."""
    if piece.begins:
        store.rows("DELETE FROM results WHERE position IN (SELECT position FROM notes WHERE unit = ?)", [piece.number])
        for table in ("notes", "problems"):
            store.rows(f"DELETE FROM {table} WHERE unit = ?", [piece.number])
    else:
        store.rows("DELETE FROM problems WHERE unit = ? AND kind = 'disk'", [piece.number])
    store.rows("DELETE FROM units WHERE unit = ?", [piece.number])


def _stamp(unit: Unit) -> str:
    return f"{unit.format}:{unit.print}"


def _report(store: NoteFile, added: int, labels: Counter[str], languages: Counter[str]) -> ImportReport:
    sums = store.rows("SELECT kind, count(*), count(*) FILTER (WHERE skipped) FROM problems GROUP BY kind ORDER BY kind")
    places = []
    for kind, _, _ in sums:  # by kind: a window over the row ids is an internal error of DuckDB 2.0.0
        places += store.rows("SELECT kind, place, detail FROM problems WHERE kind = ? ORDER BY unit, rowid LIMIT 5", [kind])
    units, records = store.rows("SELECT count(*), coalesce(sum(records), 0) FROM units")[0]
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
