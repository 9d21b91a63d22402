"""Writers: what a format can hold comes back, what it cannot is counted, and files are whole and private."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_note_model import notes as any_notes

from fedkit.cli.notes import notes as command
from fedkit.errors import ConfigurationError, CorpusError, StorageError
from fedkit.notes.note import Concept, Note, Relation, Section, Span
from fedkit.notes.readers import FORMATS, detect
from fedkit.notes.readers.omop import read_modifiers, write_modifiers
from fedkit.notes.store import NoteFile
from fedkit.notes.writers import WRITERS, writer_of

TEXT = "Pas. 😀 har ikke kvalme.\nFår Marevan og 𝄞 Ibux, men tåler det."


def at(words: str) -> tuple[int, int]:
    return TEXT.index(words), TEXT.index(words) + len(words)


FULL = Note(
    "17",
    TEXT,
    "nb",
    (
        Span(*at("kvalme"), "REACTION", {"negated": "true"}, (Concept("ICD-10", "R11", "kvalme"),)),
        Span(
            *at("Marevan"), "DRUG", {"status": "on", "historical": "true", "dose": "5 mg, x=2 %"}, (Concept("ATC", "B01AA03"),)
        ),
        Span(*at("Ibux"), "DRUG"),
    ),
    patient="7",
    meta={"ward": "5", "type_code": "11506-3"},
    date="2024-03-01T10:30:00",
    author_role="nurse",
    department="Ortopedi",
    type="Epikrise",
    sections=(Section(0, len(TEXT), "x", 0),),
    sentences=(at("Pas. 😀 har ikke kvalme."), at("Får Marevan og 𝄞 Ibux, men tåler det.")),
    relations=(Relation(1, 0, "causes"), Relation(2, 1, "with", {"p": "1"})),
)
PLAIN = Note("18", "Ä, å.\r\nHei der.", "sv", (Span(0, 1, "DRUG"),))
SUFFIX = {"jsonl": ".jsonl", "csv": ".csv", "parquet": ".parquet", "omop": ".duckdb", "fhir": ".json", "label-studio": ".json"}
SUFFIX |= {"iob2": ".conll", "bioes": ".conll"}

#: Format → fields of a note that come back as they were; the spans' own parts stand in SPANS.
KEPT = {
    "jsonl": set(Note.__dataclass_fields__),
    "csv": set(Note.__dataclass_fields__),
    "parquet": set(Note.__dataclass_fields__),
    "xmi": set(Note.__dataclass_fields__) - {"sections"},
    "omop": {"id", "text", "language", "patient", "date", "author_role", "department", "type"},
    "fhir": {"id", "text", "language", "patient", "date", "author_role", "department", "type"},
    "label-studio": {"id", "text", "language", "patient", "meta", "date", "author_role", "department", "type"},
    "brat": {"id", "text"},
    "iob2": {"id", "text", "sentences"},
    "bioes": {"id", "text", "sentences"},
}
SPANS = {
    "omop": "concepts attributes",
    "brat": "concepts attributes fragments",
    "label-studio": "attributes",
    "iob2": "",
    "bioes": "",
}


def back(format: str, notes: list[Note], folder: Path) -> tuple[list[Note], dict[str, int]]:
    target = folder / f"out{SUFFIX.get(format, '')}"
    losses = writer_of(format).write(iter(notes), target, overwrite=True)
    kind = detect(target)
    records = [r for path in (kind.files(target) if target.is_dir() else [target]) for r in kind().read(path)]
    assert [p for r in records for p in r.problems] == []
    return [r.note for r in records if r.note], dict(losses)


@pytest.fixture(params=list(WRITERS))
def format(request: pytest.FixtureRequest) -> str:
    return request.param


def test_what_a_format_holds_comes_back_and_the_rest_is_counted(format: str, tmp_path: Path) -> None:
    (first, second), losses = back(format, [FULL, PLAIN], tmp_path)
    for field in KEPT[format]:
        assert getattr(first, field) == getattr(FULL, field), field
    assert second.text.split() == PLAIN.text.split()
    if KEPT[format] == set(Note.__dataclass_fields__):
        assert (first, second) == (FULL, PLAIN)
    if format in SPANS:
        assert [(s.start, s.end, s.label) for s in first.spans] == [(s.start, s.end, s.label) for s in FULL.spans]
        for part in SPANS[format].split():
            assert [getattr(s, part) for s in first.spans] == [getattr(s, part) for s in FULL.spans]
    changed = {f for f in Note.__dataclass_fields__ if getattr(first, f) != getattr(FULL, f)} - {"tokens"}
    for field in changed - {"spans", "relations", "meta"}:
        assert losses[field] >= 1, field
    if "spans" in changed:
        assert any("spans" in what for what in losses)
    if "meta" in changed and FULL.meta.items() - first.meta.items():
        assert losses["meta"]
    if "relations" in changed:
        assert losses.get("relations") or losses.get("attributes of relations")


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.lists(any_notes(), max_size=3, unique_by=lambda n: n.id))
def test_rows_hold_any_note(tmp_path: Path, format: str, notes: list[Note]) -> None:
    """Whatever the characters: but an import takes no NULs, no blank texts, and no blanks around an id."""
    kept = [n for n in notes if "\0" not in json.dumps(n.to_row()).replace("\\u0000", "\0") and n.text.strip() and _plain(n)]
    again, losses = back(format, kept, tmp_path) if kept else ([], {})
    assert again == kept
    assert losses == {}


def _plain(note: Note) -> bool:
    """No word that a reader trims or passes over, and no line of its own kind in a heading."""
    words = [note.id, *(w for w in (note.patient, note.author_role, note.department, note.type) if w is not None)]
    words += [w for s in note.spans for w in (s.label, *s.attributes, *s.attributes.values())] + [
        r.label for r in note.relations
    ]
    words += [*note.meta, *note.meta.values(), *(s.name for s in note.sections)]
    words += [w for s in note.spans for c in s.concepts for w in (c.system, c.code, c.name or "x")]
    return all(w == w.strip() and w for w in words)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=any_notes())
def test_any_text_and_spans_survive_brat(tmp_path: Path, note: Note) -> None:
    if "\0" in note.text or not note.text.strip():
        return
    note = replace(
        note, id="a", spans=tuple(Span(s.start, s.end, "X", fragments=s.fragments) for s in note.spans), relations=()
    )
    writer_of("brat").write([note], tmp_path / "b", overwrite=True)
    (record,) = FORMATS["brat"]().read(tmp_path / "b" / "a.txt")
    assert record.note is not None
    assert record.note.text == note.text
    assert record.note.spans == note.spans


@pytest.mark.parametrize("format", ["label-studio", "xmi"])
@given(
    text=st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("😀𝄞"), min_size=3, max_size=20),
    data=st.data(),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_formats_that_count_utf16_get_their_counts_and_give_ours_back(
    tmp_path: Path, format: str, text: str, data: st.DataObject
) -> None:
    if not text.strip() or any(ord(sign) in (0xFFFE, 0xFFFF, 0xFEFF) for sign in text):
        return  # no text, or signs that XML does not have
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))), "X")
    (again,), _ = back(format, [Note("a", text, "nb", (span,))], tmp_path)
    assert (again.text, again.spans) == (text, (span,))


@given(
    values=st.dictionaries(
        st.text(min_size=1).filter(lambda t: t == t.strip() and t), st.text(min_size=1).filter(lambda t: t == t.strip())
    )
)
def test_modifiers_of_omop_hold_any_signs(values: dict[str, str]) -> None:
    assert read_modifiers(write_modifiers(values)) == values


def test_bioes_and_iob2_tags_as_the_papers_have_them(tmp_path: Path) -> None:
    note = Note("a", "venstre hofte og Ibux", "nb", (Span(0, 13, "SITE"), Span(17, 21, "DRUG")))
    for format, tags in (("iob2", "B-SITE I-SITE O B-DRUG"), ("bioes", "B-SITE E-SITE O S-DRUG")):
        writer_of(format).write([note], tmp_path / format)
        rows = [line.split("\t") for line in (tmp_path / format).read_text().split("\n") if line and line[0] != "#"]
        assert [tag for _, tag in rows] == tags.split()


def test_tokens_between_sentences_are_not_lost(tmp_path: Path) -> None:
    note = Note("a", "En to. mellom Tre fire. etter", "nb", (Span(7, 13, "X"), Span(24, 29, "X")), sentences=((0, 6), (14, 23)))
    (again,), losses = back("iob2", [note], tmp_path)
    assert again.tokens == ("En", "to", ".", "mellom", "Tre", "fire", ".", "etter")
    assert [again.text_of(s) for s in again.spans] == ["mellom", "etter"]
    assert losses["blanks and lines between sentences"] == 1


def test_spans_that_tags_cannot_hold_are_counted_and_the_longest_stays(tmp_path: Path) -> None:
    note = Note("a", "venstre hofteprotese", "nb", (Span(0, 7, "A"), Span(0, 20, "B"), Span(8, 13, "C")))
    (again,), losses = back("iob2", [note], tmp_path)
    assert [(s.start, s.end, s.label) for s in again.spans] == [(0, 20, "B")]
    assert losses["spans that overlap others or no token"] == 2
    (again,), losses = back("iob2", [replace(note, spans=(Span(8, 13, "C"),))], tmp_path)
    assert [(s.start, s.end) for s in again.spans] == [(8, 20)]
    assert losses["spans that end inside a token"] == 1


def test_ids_that_are_no_file_names_get_names_of_their_own(tmp_path: Path) -> None:
    ids = ["a/b", "a_b", "A_B", "../../x", ".hidden", "x" * 300, "TypeSystem"]
    for format in ("brat", "xmi"):
        losses = writer_of(format).write([Note(i, "x y", "nb") for i in ids], tmp_path / format)
        files = [p.name.lower() for p in (tmp_path / format).iterdir() if p.suffix in (".txt", ".xmi")]
        assert len(set(files)) == len(ids)
        assert {p.parent for p in (tmp_path / format).rglob("*")} == {tmp_path / format}
        assert losses or format == "xmi"  # a CAS holds its id inside


# --- on the disk ---------------------------------------------------------------------------------------------------------


def test_files_are_private_whole_and_alone(format: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{SUFFIX.get(format, '')}"
    writer_of(format).write([FULL], target)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]
    for path in (target, *target.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_what_is_there_is_kept_unless_told(format: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{SUFFIX.get(format, '')}"
    writer_of(format).write([FULL], target)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(ConfigurationError, match="something is there"):
        writer_of(format).write([PLAIN], target)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    writer_of(format).write([PLAIN], target, overwrite=True)
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert after != before
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_a_folder_of_other_things_is_never_replaced(format: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "deep").mkdir(parents=True)
    (home / "thesis.tex").write_text("x")
    with pytest.raises(ConfigurationError, match="something else is there"):
        writer_of(format).write([FULL], home, overwrite=True)
    assert sorted(p.name for p in home.iterdir()) == ["deep", "thesis.tex"]


def test_a_writer_that_fails_halfway_leaves_what_was_there(format: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{SUFFIX.get(format, '')}"
    writer_of(format).write([FULL], target)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def broken() -> Iterator[Note]:
        yield PLAIN
        raise CorpusError("half")

    with pytest.raises(CorpusError, match="half"):
        writer_of(format).write(broken(), target, overwrite=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        writer_of("jsonl").write([FULL], tmp_path / "file" / "out.jsonl")


def test_the_command_writes_a_stage_and_says_what_is_left_out(tmp_path: Path) -> None:
    with NoteFile.open(tmp_path / "s.duckdb", write=True) as store:
        with store.transaction():
            store.append(1, [("a", FULL), ("b", PLAIN)])
        store.begin("short", "1")
        store.save("short", [(0, replace(FULL, sections=(), relations=(), sentences=()))])
    run = CliRunner().invoke
    arguments = ["export", str(tmp_path / "s.duckdb"), "--to", str(tmp_path / "out"), "--format", "brat"]
    said = run(command, [*arguments, "--stage", "short"])
    assert "1 notes written" in said.output
    assert "not in this format: date (1 times)" in said.output
    assert "kvalme" not in said.output
    assert isinstance(run(command, arguments).exception, ConfigurationError)
    assert "2 notes written" in run(command, [*arguments, "--force"]).output
    assert isinstance(run(command, [*arguments, "--stage", "none", "--force"]).exception, ConfigurationError)
    assert isinstance(run(command, [*arguments[:-1], "klingon"]).exception, ConfigurationError)
