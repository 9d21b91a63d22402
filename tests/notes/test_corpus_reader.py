"""Reading and writing a corpus: what comes back, and what every bad input is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedkit.errors import CorpusError, StorageError
from fedkit.notes import corpus_writer
from fedkit.notes.corpus import Corpus, SiteNotes, build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.notes.note import Note, Span

CANARY = "Hemmelig-Hansen"  # stands in every note below; no error may hold it
ROW = {"id": "a", "lang": "nb", "text": f"{CANARY} fikk kvalme", "spans": [{"start": 21, "end": 27, "label": "REACTION"}]}


def line(**changes: object) -> str:
    return json.dumps(ROW | changes, ensure_ascii=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good sites, one note in each split."""
    for site in ("north", "south"):
        (tmp_path / "corpus" / site).mkdir(parents=True)
        for split in ("train", "dev", "test"):
            (tmp_path / "corpus" / site / f"{split}.jsonl").write_text(line(id=split) + "\n", "utf-8")
    return tmp_path / "corpus"


def error(folder: Path, **options: bool) -> CorpusError:
    """The error of reading, after a check that it says all it should and nothing it must not."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(folder, **options)
    assert caught.value.expected
    assert caught.value.got
    assert CANARY not in caught.value.diagnostics()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_a_corpus_is_read_with_its_sites_labels_and_splits(folder: Path) -> None:
    corpus = read_corpus(folder)
    assert list(corpus.sites) == ["north", "south"]
    assert corpus.labels == ("REACTION",)
    site = corpus.sites["north"]
    assert [len(notes) for _, notes in site.splits()] == [1, 1, 1, 40]
    assert (site.language, site.title) == ("nb", "north")
    assert corpus.warnings == ()


def test_federation_toml_gives_order_titles_and_languages(folder: Path) -> None:
    (folder / "federation.toml").write_text('[[sites]]\nname = "south"\ntitle = "Søndre"\nlanguage = "nn"\n', "utf-8")
    corpus = read_corpus(folder)
    assert [(s.name, s.title, s.language) for s in corpus.sites.values()] == [
        ("south", "Søndre", "nn"),
        ("north", "north", "nb"),
    ]
    assert corpus.warnings == ("site north: not in federation.toml",)


def test_other_fields_go_to_meta_and_other_entries_are_ignored(folder: Path) -> None:
    (folder / "north" / "train.jsonl").write_text(line(doc="d1", genre="blog", relations=[[0, 1]]), "utf-8")
    (folder / "stats.json").write_text("{}")
    (folder / "pictures").mkdir()
    (folder / ".hidden").mkdir()
    corpus = read_corpus(folder)
    assert list(corpus.sites) == ["north", "south"]
    assert corpus.sites["north"].train[0].meta == {"doc": "d1", "genre": "blog"}


def test_blank_lines_a_byte_order_mark_and_unusual_line_ends_are_fine(folder: Path) -> None:
    text = "﻿" + line(id="1") + "\r\n\r\n" + line(id="2", text=f"{CANARY} fikk kvalme\u2028x")
    (folder / "north" / "train.jsonl").write_bytes(text.encode())
    assert [n.id for n in read_corpus(folder).sites["north"].train] == ["1", "2"]


BAD_ROWS: dict[str, tuple[str | bytes, str]] = {
    "broken JSON": (line()[:-9], "broken JSON"),
    "no object": ("[1, 2]", "not a note"),
    "no text": (json.dumps({"id": "a"}), "not a note"),
    "no id": (json.dumps({"text": CANARY}), "not a note"),
    "text is a number": (line(text=7), "text"),
    "span outside": (line(spans=[{"start": 21, "end": 99, "label": "REACTION"}]), "outside"),
    "span empty": (line(spans=[{"start": 5, "end": 5, "label": "REACTION"}]), "outside"),
    "span negative": (line(spans=[{"start": -3, "end": 5, "label": "REACTION"}]), "outside"),
    "spans overlap": (
        line(spans=[{"start": 0, "end": 9, "label": "DRUG"}, {"start": 8, "end": 12, "label": "DRUG"}]),
        "overlap",
    ),
    "offset as text": (line(spans=[{"start": "21", "end": 27, "label": "REACTION"}]), "start"),
    "offset with a fraction": (line(spans=[{"start": 21, "end": 27.5, "label": "REACTION"}]), "end"),
    "label empty": (line(spans=[{"start": 21, "end": 27, "label": " "}]), "label"),
    "span without label": (line(spans=[{"start": 21, "end": 27}]), "not a note"),
    "tokens not of the text": (line(tokens=[CANARY, "har", "kvalme"]), "tokens"),
    "tokens out of order": (line(tokens=["kvalme", "fikk"]), "tokens"),
    "another encoding": (line(text="blåmerke på øyet").encode("latin-1"), "not UTF-8"),
    "half a character": (line()[:-1] + r', "x": "\ud83d"}', "text"),
    "deep nesting": ("[" * 100_000, "broken JSON"),
}


@pytest.mark.parametrize(("row", "told"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_named_by_file_and_line(folder: Path, row: str | bytes, told: str) -> None:
    data = row if isinstance(row, bytes) else row.encode()
    (folder / "south" / "dev.jsonl").write_bytes(line(id="good").encode() + b"\n" + data + b"\n")
    message = str(error(folder))
    assert "south/dev.jsonl, line 2" in message
    assert told in message


def test_a_missing_folder_a_file_and_an_empty_folder_are_told_apart(tmp_path: Path) -> None:
    assert error(tmp_path / "nowhere").got == "nothing at this path"
    (tmp_path / "file").write_text("x")
    assert error(tmp_path / "file").got == "a file"
    (tmp_path / "empty").mkdir()
    assert error(tmp_path / "empty").got == "no folders"
    (tmp_path / "empty" / "sub").mkdir()
    assert "none with notes" in error(tmp_path / "empty").got


def test_a_label_of_one_site_only_is_refused(folder: Path) -> None:
    (folder / "south" / "train.jsonl").write_text(
        line(spans=[{"start": 0, "end": 3, "label": "DRUG"}, {"start": 21, "end": 27, "label": "REACTION"}])
    )
    found = error(folder)
    assert "'DRUG' of site south" in str(found)
    assert found.got == "at the others: REACTION"


def test_a_label_missing_at_some_sites_is_a_warning(folder: Path) -> None:
    shutil.copytree(folder / "north", folder / "west")
    for site in ("north", "south"):
        (folder / site / "train.jsonl").write_text(line(id="d", spans=[{"start": 0, "end": 3, "label": "DRUG"}]))
    assert read_corpus(folder).warnings == ("label DRUG: missing at west",)


def test_a_corpus_without_any_span_is_refused(folder: Path) -> None:
    for path in folder.glob("*/*.jsonl"):
        path.write_text(line(id=path.stem, spans=[]))
    assert "no labelled span" in str(error(folder))


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_a_site_without_training_notes_is_refused_or_only_evaluates(folder: Path, how: str) -> None:
    path = folder / "south" / "train.jsonl"
    path.unlink() if how == "missing" else path.write_text("\n")
    found = error(folder)
    assert "site south" in str(found)
    assert found.expected.endswith("train.jsonl")
    corpus = read_corpus(folder, allow_empty=True)
    assert corpus.sites["south"].train == ()
    assert corpus.warnings == ("site south: no training notes, it only evaluates",)


def test_a_missing_test_file_is_refused_and_an_empty_one_is_a_warning(folder: Path) -> None:
    path = folder / "north" / "test.jsonl"
    path.unlink()
    assert error(folder).expected.endswith("test.jsonl")
    path.touch()
    assert read_corpus(folder).warnings == ("site north: no test notes",)


def test_two_sites_of_one_name_are_refused(folder: Path) -> None:
    shutil.copytree(folder / "north", folder / "North")
    assert error(folder).got == "'North' and 'north'"
    shutil.rmtree(folder / "North")
    (folder / "federation.toml").write_text('[[sites]]\nname = "north"\n[[sites]]\nname = "NORTH"\n')
    assert "two sites with the same name" in str(error(folder))


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[[sites]]\nname = "east"', "'east'"),
        ('[[sites]]\nname = "../north"', "not a name"),
        ('[[sites]]\ntitle = "x"', "no name"),
        ("[[sites]]\nname = 3", "malformed"),
        ('sites = "north"', "malformed"),
        ("[[sites", "cannot be read"),
    ],
)
def test_a_wrong_federation_toml_is_refused(folder: Path, toml: str, told: str) -> None:
    (folder / "federation.toml").write_text(toml)
    assert told in str(error(folder))


def test_a_note_id_used_twice_is_refused_within_and_across_splits(folder: Path) -> None:
    path = folder / "north" / "train.jsonl"
    path.write_text(line(id="x") + "\n" + line(id="x"))
    assert "train.jsonl, line 2: a note id is used twice" in str(error(folder))
    path.write_text(line(id="dev"))
    assert error(folder).got == "an id of train.jsonl again"


def test_an_unreadable_file_is_named(folder: Path) -> None:
    (folder / "north" / "dev.jsonl").unlink()
    (folder / "north" / "dev.jsonl").symlink_to(folder / "north" / "loop.jsonl")
    (folder / "north" / "loop.jsonl").symlink_to(folder / "north" / "dev.jsonl")
    assert "site north" in str(error(folder))


def test_nothing_that_is_printed_by_accident_shows_a_note(folder: Path) -> None:
    corpus = read_corpus(folder)
    shown = repr(corpus) + repr(corpus.sites["north"]) + repr(corpus.sites["north"].train) + repr(corpus.describe())
    assert CANARY not in shown


# --- writing -------------------------------------------------------------------------------------------------------------

_text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)


@st.composite
def _notes(draw: Callable[..., object], name: str) -> Note:
    text = draw(_text)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [
        Span(a, b, draw(st.sampled_from(("A", "B"))), draw(st.dictionaries(_text, _text, max_size=2)))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return Note(name, text, draw(st.sampled_from(("nb", "fi", ""))), tuple(spans), patient=draw(st.none() | _text))


@st.composite
def _corpora(draw: Callable[..., object]) -> Corpus:
    sites = []
    for name in ("ä-1", "b.2"):
        fixed = Note("fixed", "𝄞 ok", "nb", (Span(0, 1, "A"), Span(2, 4, "B")))
        rest = [draw(_notes(f"n{i}")) for i in range(draw(st.integers(0, 3)))]
        mock = (Note("m", "Qxa", "nb", (Span(0, 3, "A"),)),)
        sites.append(SiteNotes(name, draw(_text), "nb", (fixed, *rest), (), (), mock))
    return build_corpus(sites)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpus=_corpora())
def test_what_is_written_is_read_again_whatever_the_characters(tmp_path: Path, corpus: Corpus) -> None:
    target = tmp_path / "round"
    write_corpus(corpus, target, overwrite=True)
    again = read_corpus(target)
    assert again == corpus
    assert again.digest == corpus.digest
    assert sorted(p.name for p in tmp_path.iterdir()) == ["round"]


def test_the_digest_names_content(folder: Path) -> None:
    before = read_corpus(folder).digest
    assert read_corpus(folder).digest == before
    path = folder / "south" / "test.jsonl"
    path.write_text(path.read_text("utf-8").replace('"REACTION"', '"REACTION", "attributes": {"negated": "yes"}'), "utf-8")
    assert read_corpus(folder).digest != before


def test_an_existing_corpus_is_replaced_only_when_told_and_other_files_stay(folder: Path, tmp_path: Path) -> None:
    corpus = read_corpus(folder)
    smaller = build_corpus([corpus.sites["north"]])
    (folder / "DATASHEET.md").write_text("sheet")
    (folder / "south" / "own.txt").write_text("mine")
    with pytest.raises(CorpusError, match="a corpus is there"):
        write_corpus(smaller, folder)
    write_corpus(smaller, folder, overwrite=True)
    assert list(read_corpus(folder).sites) == ["north"]
    assert (folder / "DATASHEET.md").read_text() == "sheet"
    assert (folder / "south" / "own.txt").read_text() == "mine"


def test_a_folder_of_other_things_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("x")
    with pytest.raises(CorpusError, match="something else"):
        write_corpus(read_corpus(folder), home, overwrite=True)
    assert [p.name for p in home.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("fails_at", [1, 5, 9])
def test_a_full_disk_leaves_the_old_corpus_and_nothing_half_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    corpus = read_corpus(folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    calls = 0
    real = corpus_writer._write

    def full(path: Path, data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(corpus_writer, "_write", full)
    for target in (folder, tmp_path / "new"):
        calls = 0
        with pytest.raises(StorageError) as caught:
            write_corpus(corpus, target, overwrite=True)
        assert caught.value.got == "No space left on device"
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.corpora
def test_the_five_language_benchmark_is_read_whole(names5: Corpus, corpora: Path) -> None:
    corpus = names5
    assert list(corpus.sites) == ["no", "sv", "da", "fi", "et"]
    assert corpus.labels == ("LOC", "ORG", "PER")
    assert corpus.warnings == ()
    stated = json.loads((corpora / "names5" / "stats.json").read_text())
    for row in corpus.describe():
        if row["split"] != "mock":
            split = stated[row["site"]][row["split"]]
            assert (row["notes"], row["labels"]) == (split["sentences"], split["entities"])
