"""What every reader promises, whatever its format: the contract suite of the seam `NoteReader`, and fuzzing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reader_samples import CANARY, FIRST, KVALME, MAREVAN, SAMPLES, SECOND

from fedkit.errors import CorpusError
from fedkit.notes.note import Note
from fedkit.notes.readers import FORMATS, detect
from fedkit.notes.readers.base import PROBLEMS, NoteReader, Record, Rules

#: Formats that hold a text as it is; the others lay it out (a heading before it, signs a font does not have).
VERBATIM = ("jsonl", "csv", "parquet", "omop", "brat", "conll", "xmi", "label-studio")
WITH_LABELS = (*VERBATIM, "openehr")
#: A corrupt database is DuckDB's to find out, in code that is none of ours; it is cut short here and not changed byte by byte.
FUZZED = tuple(name for name in SAMPLES if name != "omop")


@pytest.fixture(params=list(SAMPLES))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def source(name: str, tmp_path: Path) -> Path:
    return SAMPLES[name](tmp_path)


def records(source: Path, rules: Rules | None = None, format: str | None = None) -> list[Record]:
    kind = FORMATS[format] if format else detect(source)
    return [record for path in files(kind, source) for record in kind(rules or Rules()).read(path)]


def files(kind: type[NoteReader], source: Path) -> list[Path]:
    return kind.files(source) if source.is_dir() else [source]


def test_every_format_has_a_sample() -> None:
    assert set(SAMPLES) == set(FORMATS)


def test_a_source_is_recognised_as_what_it_is(name: str, source: Path) -> None:
    assert detect(source) is FORMATS[name]


def test_every_record_becomes_a_note_with_what_its_format_says(name: str, source: Path) -> None:
    first, second = (record.note for record in records(source))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert SECOND in second.text
    assert second.spans == ()
    if name in VERBATIM:
        assert (first.text, second.text) == (FIRST, SECOND)
        assert [(s.start, s.end, s.label) for s in first.spans] == [(*KVALME, "REACTION"), (*MAREVAN, "DRUG")]
    for span in first.spans:
        assert first.text_of(span) in ("kvalme", "Marevan")


def test_notes_are_valid_and_nothing_was_wrong_with_them(source: Path) -> None:
    for record in records(source):
        assert record.problems == ()
        assert record.note is not None
        record.note.check()


def test_names_of_persons_stay_in_the_text(name: str, source: Path) -> None:
    """Patients' and authors' names stand in every format's header; none of them is a fact about the note that we keep."""
    for record in records(source):
        assert record.note is not None
        row = record.note.to_row()
        row.pop("text")
        row.pop("tokens", None)
        assert CANARY not in str(row)
        assert "01015012345" not in str(row)


def test_reading_twice_gives_the_same_in_the_same_order(source: Path) -> None:
    assert records(source) == records(source)


def test_reading_goes_on_behind_any_record(source: Path) -> None:
    kind = detect(source)
    for path in files(kind, source):
        whole = list(kind().read(path))
        for after in range(len(whole) + 2):
            assert list(kind().read(path, after=after)) == whole[after:]


def test_places_are_told_apart_and_begin_with_the_name_of_the_file(source: Path) -> None:
    kind = detect(source)
    for path in files(kind, source):
        places = [record.place for record in kind().read(path, name="sub/name")]
        assert len(set(places)) == len(places)
        assert all(place.startswith("sub/name") for place in places)


def test_the_fingerprint_changes_with_the_content_alone(source: Path, tmp_path: Path) -> None:
    kind = detect(source)
    path = files(kind, source)[0]
    before = kind.fingerprint(path)
    os.utime(path, (0, 0))
    assert kind.fingerprint(path) == before
    with path.open("ab") as file:
        file.write(b" ")
    assert kind.fingerprint(path) != before


@pytest.mark.parametrize("name", WITH_LABELS)
def test_labels_are_renamed_and_those_not_asked_for_left_out_by_name(name: str, tmp_path: Path) -> None:
    source = SAMPLES[name](tmp_path)
    rules = Rules(rename={"REACTION": "ADR"}, labels=frozenset({"ADR"}))
    found = records(source, rules)
    assert {s.label for r in found if r.note for s in r.note.spans} == {"ADR"}
    unknown = sum(p.kind == "label unknown" for r in found for p in r.problems)
    assert unknown == (0 if name == "openehr" else 1)


def test_the_language_of_the_rules_is_for_notes_without_one(name: str, source: Path) -> None:
    plain = [r.note.language for r in records(source) if r.note]
    told = [r.note.language for r in records(source, Rules(language="fi")) if r.note]
    assert told == [language or "fi" for language in plain]


def test_a_note_longer_than_the_limit_is_named_and_the_others_stay(name: str, source: Path) -> None:
    limit = max(len(r.note.text) for r in records(source) if r.note) - 1
    found = records(source, Rules(max_characters=limit))
    assert len(found) == 2
    assert sum(r.note is not None for r in found) == 1
    assert [p.kind for r in found for p in r.problems] == ["too large"]


def test_an_empty_file_is_no_error(name: str, source: Path) -> None:
    kind = FORMATS[name]
    path = files(kind, source)[0]
    path.write_bytes(b"")
    assert all(record.note is None for record in kind().read(path))


def test_a_file_that_is_not_there_is_the_systems_doing(name: str, source: Path) -> None:
    kind = FORMATS[name]
    path = files(kind, source)[0]
    path.unlink()
    found = list(kind().read(path))
    assert [r.note for r in found] == [None]
    # Two databases' own errors are no OSError; all others say that the disk was it.
    assert found[0].problems[0].kind == "disk" or name == "omop"


def test_files_of_another_format_become_no_notes(name: str, source: Path, tmp_path: Path) -> None:
    for other in ("pdf", "parquet", "cda"):
        if other != name and name not in ("brat",):  # any text is a text to BRAT
            (tmp_path / other).mkdir()
            foreign = SAMPLES[other](tmp_path / other)
            for path in files(FORMATS[other], foreign):
                assert all(record.note is None for record in FORMATS[name]().read(path))


class _Broken(NoteReader):
    """A reader whose parser says what it has read."""

    name, title, suffixes = "broken", "broken", (".txt",)

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        return False

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        yield self._one(f"{name}, line 1", lambda: int(f"{CANARY} har feber"))  # type: ignore[arg-type, return-value]
        yield Record(f"{name}, line 2", Note("a", "x", "nb"))
        raise ValueError(f"{CANARY} har feber")


def test_a_parser_that_tells_the_text_in_its_error_is_not_quoted(tmp_path: Path) -> None:
    found = list(_Broken().read(tmp_path / "a.txt"))
    assert [r.note is not None for r in found] == [False, True, False]
    assert CANARY not in str(found)
    assert "ValueError" in found[0].problems[0].detail


# --- fuzzing -------------------------------------------------------------------------------------------------------------


def judge(found: Iterator[Record]) -> None:
    """What holds for any bytes at all: no exception, valid notes, known kinds of problems, and no text in what is said."""
    places = set()
    for record in found:
        assert record.place not in places
        places.add(record.place)
        assert record.note is not None or record.problems
        if record.note is not None:
            record.note.check()
            assert Note.from_row(record.note.to_row()) == record.note
            record.note.to_row()["text"].encode()
        for problem in record.problems:
            assert problem.kind in PROBLEMS
            assert not set(CANARY.lower().split()) & set(problem.detail.lower().split())
            assert CANARY not in problem.detail


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path, bytes]]:
    """Format → (folder or file, the file that is changed, its bytes)."""
    made = {}
    for name in SAMPLES:
        source = SAMPLES[name](tmp_path_factory.mktemp(name))
        path = files(FORMATS[name], source)[0]
        if name == "brat":
            path = path.with_suffix(".ann")
        made[name] = (source, path, path.read_bytes())
    return made


_slow = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@_slow
@given(name=st.sampled_from(list(SAMPLES)), share=st.floats(0, 1))
def test_a_file_cut_off_anywhere_is_read_as_far_as_it_goes(originals, name: str, share: float) -> None:
    source, path, data = originals[name]
    path.write_bytes(data[: int(len(data) * share)])
    judge(iter(records(source, format=name)))


_BROKEN = (b"\0", b"\xff\xfe", b"\n", b"\r", b'"', b"<", b"{", b"}", b"]", b"\\ud800", b"\xc3", b"&x;", b"\t", b"null", b"[[[[")
_pieces = st.sampled_from((*_BROKEN, b"999999999999999999999", b"-1", b"1e999", b"NaN", "😀".encode(), CANARY.encode()))


@_slow
@given(
    name=st.sampled_from(FUZZED),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), _pieces | st.binary(max_size=4))),
)
def test_no_bytes_at_all_make_a_reader_raise_or_tell_the_text(originals, name: str, changes) -> None:
    source, path, data = originals[name]
    for share, length, piece in changes:
        at = int(len(data) * share)
        data = data[:at] + piece + data[at + length :]
    path.write_bytes(data)
    judge(iter(records(source, format=name)))


@_slow
@given(data=st.binary(max_size=300))
@example(b'{"id": 1, "text": "a"}\n[1]\n\n{"text": "b", "spans": {"a": 1}}')
@example(b"text\n\"\n'a\n")
@example(b"\r\x01")
@example(b"PK\x03\x04 no archive")
def test_any_bytes_are_detected_and_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.txt"
    path.write_bytes(data)
    try:
        kind = detect(path)
    except CorpusError:
        return
    judge(kind().read(path))


# --- detection -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [f'{{"id": "a", "text": "{"lang " * 30_000}"}}', '{"id": "a", "te', '\ufeff{"text": "x"}'])
def test_json_lines_are_recognised_whatever_the_first_one_is(tmp_path: Path, first: str) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text(first + '\n{"id": "b", "text": "x"}\n', "utf-8")
    assert detect(path) is FORMATS["jsonl"]


def test_a_folder_of_several_formats_asks_for_one(tmp_path: Path) -> None:
    SAMPLES["jsonl"](tmp_path)
    SAMPLES["pdf"](tmp_path)
    with pytest.raises(CorpusError) as caught:
        detect(tmp_path)
    assert "1 jsonl" in caught.value.got
    assert "2 pdf" in caught.value.got
    assert "--format" in caught.value.help


def test_hidden_files_and_files_of_other_kinds_are_not_looked_at(tmp_path: Path) -> None:
    source = SAMPLES["cda"](tmp_path)
    (source / ".cache").mkdir()
    shutil.copy(source / "a.xml", source / ".cache" / "a.xml")
    (source / "README.md").write_text("# notes")
    assert detect(source) is FORMATS["cda"]
    assert [p.name for p in FORMATS["cda"].files(source)] == ["a.xml", "b.xml"]


def test_what_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"\x00\x01\x02")
    with pytest.raises(CorpusError, match=r"x\.bin: a format that no reader knows"):
        detect(path)
    with pytest.raises(CorpusError, match="nothing to import"):
        detect(tmp_path / "nowhere")
