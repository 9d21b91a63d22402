"""The pipeline: what every step adds, that it changes no text and nothing a note brought along, and its digest."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedkit.errors import ConfigurationError
from fedkit.notes.note import Note, Relation, Section, Span
from fedkit.notes.pipeline import ABBREVIATION, FOREIGN, IDENTIFIER, STEPS, Pipeline, Settings

TEXT = (
    "Aktuelt: Pasienten ble innlagt med brystsmerter etter oppstart av Marevan. Hun har ikke kvalme eller svimmelhet.\n"
    "Tidligere sykdommer: Astma.\n"
    "CAVE: Penicillin.\n"
    "Vurdering: Beh. med warfarin pga. flimmer. The patient was admitted after a fall and she has not been treated with it. "
    "Kontroll hos dr. Kari Nordmann, tlf. 22 22 22 22."
)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline()


def spans(note: Note, label: str) -> list[str]:
    return [note.text_of(s) for s in note.spans if s.label == label]


def test_every_step_adds_its_part(pipeline: Pipeline) -> None:
    note = pipeline(Note("1", TEXT, ""))
    note.check()
    assert note.language == "nb"
    assert [s.name for s in note.sections] == ["reason", "past_history", "allergy", "assessment"]
    assert note.text[slice(*note.sentences[0])].startswith("Aktuelt: Pasienten")
    assert "warfarin" in spans(note, "DRUG")
    assert {note.text_of(s) for s in note.spans if s.attributes.get("negated")} == {"kvalme", "svimmelhet"}
    assert any(c.system == "ATC" for s in note.spans for c in s.concepts)
    assert {"Beh.", "pga."} <= set(spans(note, ABBREVIATION))
    assert spans(note, FOREIGN) == ["The patient was admitted after a fall and she has not been treated with it."]
    assert any("Nordmann" in words for words in spans(note, IDENTIFIER))
    assert any("22 22 22 22" in words for words in spans(note, IDENTIFIER))


def test_reading_a_note_twice_adds_nothing(pipeline: Pipeline) -> None:
    once = pipeline(Note("1", TEXT, ""))
    assert pipeline(once) == once


def test_what_a_note_brings_along_stays(pipeline: Pipeline) -> None:
    given_spans = (Span(0, 7, "MINE", {"negated": "false"}), Span(9, 18, "MINE"))
    note = Note(
        "id",
        TEXT,
        "nn",
        given_spans,
        tokens=("Aktuelt",),
        patient="p",
        meta={"a": "b"},
        date="2026-01-01",
        sections=(Section(0, len(TEXT), "plan", 8),),
        sentences=((0, 5),),
        relations=(Relation(0, 1, "R"),),
    )
    read = pipeline(note)
    assert replace(read, spans=(), relations=()) == replace(note, spans=(), relations=())
    mine = [i for i, s in enumerate(read.spans) if s.label == "MINE"]
    assert [(read.spans[i].start, read.spans[i].end) for i in mine] == [(0, 7), (9, 18)]
    assert read.spans[mine[0]].attributes["negated"] == "false"
    assert [(r.head, r.tail, r.label) for r in read.relations] == [(mine[0], mine[1], "R")]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*TEXT.split(" "), "\n", "\x00", "𝔘", "a\u0301", "\ud7ff"]), max_size=25).map(" ".join),
    st.sampled_from(["", "nb", "no", "fi", "xx", "en"]),
)
def test_any_text_gives_a_sound_note(text: str, language: str) -> None:
    read = Pipeline()(Note("1", text, language))
    read.check()
    assert read.text == text
    assert Note.from_row(read.to_row()) == read


@pytest.mark.parametrize(
    ("told", "found"),
    [("sv", "sv"), ("de", "de"), ("no", "nb"), ("", "nb")],
)
def test_the_language_that_a_source_tells_is_taken(pipeline: Pipeline, told: str, found: str) -> None:
    assert pipeline.language(Note("1", TEXT, told)).language == found


def test_only_the_steps_asked_for_run() -> None:
    read = Pipeline(Settings(steps=("sentences", "language")))(Note("1", TEXT, ""))
    assert read.language
    assert read.sentences
    assert not read.sections
    assert {s.label for s in read.spans} <= {FOREIGN}


@pytest.mark.parametrize("bad", [{"steps": ("nothing",)}, {"steps": ()}, {"languages": ("fi",)}, {"languages": ("fi", "xx")}])
def test_settings_that_cannot_be_are_refused(bad: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ConfigurationError):
        Settings(**bad)


def test_the_digest_follows_the_settings() -> None:
    prints = {Settings().print, Settings(languages=("fi", "sv")).print, Settings(steps=("language",)).print}
    assert len(prints) == 3
    assert Settings().print == Settings().print
    assert set(Settings().steps) == set(STEPS)


#: Every text on which a rule here has once been seen to take quadratic time, and their like.
HARD = ["a.", "1-", "1.", ".", "12. ", "a@", "A: ", "\n", "\nAb:", "a-", "a.b.", ":) ", "a\u0301", " ", "ikke ", "x, "]
READ_HARD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (40, 40))
from fedkit.notes.context import context_of
from fedkit.notes.note import Note, Span
from fedkit.notes.pipeline import Pipeline, Settings
from fedkit.notes.tokens import words
reader = Pipeline(Settings(steps=("sections", "sentences", "abbreviations")))
for unit in eval(sys.argv[1]):
    text = (unit * 60_000)[:60_000]
    words(text, "nb")
    context_of(text, [Span(i, i + 1, "X") for i in range(0, 59_999, 9)], "nb")
    reader(Note("1", text, "nb"))
"""


def test_no_text_takes_quadratic_work() -> None:
    """The system ends the process after 40 s of CPU: one of these texts took longer before, all together take a tenth of it."""
    subprocess.run([sys.executable, "-c", READ_HARD, repr(HARD)], check=True)
