"""The picture of an annotated note: all of the text, every mark with its label in words, nothing that could become a tag."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.notes.concepts import Normaliser
from fedkit.notes.note import Concept, Note, Relation, Section, Span
from fedkit.notes.synthetic.records import make_records
from fedkit.widgets import AnnotatedNote

EVIL = '<script>alert(1)</script><b onclick="x">&amp;'


def bare(view: AnnotatedNote) -> str:
    """The text of the note as the picture shows it, without badges, ends of sentences and the table below."""
    html = re.search(r'<div class="fk-note">(.*?)</div>', view._repr_html_(), re.DOTALL)
    assert html is not None
    text = re.sub(r"<small>.*?</small>|<span class=\"fk-end\">.*?</span>", "", html[1], flags=re.DOTALL)
    return unescape(re.sub(r"</?(?:mark|b)\b[^<>]*>", "", text.replace("<br>", "\n")))


@st.composite
def notes(draw: st.DrawFn) -> Note:
    text = draw(
        st.just(EVIL)
        | st.text(st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from("<>&'\"👍\n")), min_size=1, max_size=40)
    )
    edges = st.integers(0, len(text))
    spans = []
    for _ in range(draw(st.integers(0, 5))):
        a, b = sorted((draw(edges), draw(edges)))
        if a < b:
            spans.append(Span(a, b, draw(st.sampled_from(("DRUG", "X", EVIL))), {"negated": "true"}))
    return Note("n", text, "nb", sentences=((0, len(text)),)).with_spans(spans)


@settings(max_examples=150, deadline=None)
@given(note=notes())
def test_all_of_the_text_is_there_whatever_the_spans(note: Note) -> None:
    view = AnnotatedNote(note, sentences=True)
    assert bare(view) == note.text
    assert view._repr_html_().count("<small>") == len(note.spans)
    assert view._repr_html_() == AnnotatedNote(note, sentences=True)._repr_html_()


@settings(max_examples=150, deadline=None)
@given(note=notes())
def test_nothing_of_a_note_becomes_a_tag(note: Note) -> None:
    html = re.sub(r"<style>.*?</style>", "", AnnotatedNote(note, caption=EVIL)._repr_html_(), flags=re.DOTALL)
    assert set(re.findall(r"</?([a-zA-Z]+)", html)) <= {"div", "p", "b", "br", "mark", "small", "span"}


def test_a_mark_tells_its_label_context_and_code_in_words_and_not_by_colour_alone() -> None:
    note = Note(
        "n",
        "Ikke utslett av warfarin.",
        "nb",
        (
            Span(5, 12, "REACTION", {"negated": "true", "dose": "5 mg"}, (Concept("ICD-10", "R21"),)),
            Span(16, 24, "DRUG", {"status": "stopped"}),
        ),
        relations=(Relation(1, 0, "adverse_effect", {"outcome": "recovered"}),),
    )
    view = AnnotatedNote(note)
    html = view._repr_html_()
    assert "utslett</mark><small> REACTION · negated · ICD-10 R21</small>" in html
    assert "warfarin</mark><small> DRUG · stopped</small>" in html
    styles = re.findall(r'<mark style="([^"]*)"', html)
    assert len(set(styles)) == 2
    assert repr(view) == "Ikke [utslett | REACTION · negated · ICD-10 R21] av [warfarin | DRUG · stopped]."
    assert "adverse effect" in html
    assert "outcome recovered" in html


def test_other_labels_can_be_left_out_with_the_relations_that_need_them() -> None:
    record = next(make_records("nb", "train", 1, seed=3))
    note = next(n for n in record.notes if n.relations)
    html = AnnotatedNote(note, labels=("BODY_SITE",))._repr_html_()
    assert html.count("<small>") == sum(s.label == "BODY_SITE" for s in note.spans)
    assert "<table>" not in html
    assert "<table>" in AnnotatedNote(note)._repr_html_()


def test_headings_and_ends_of_sentences_are_shown() -> None:
    note = Note("n", "CAVE: ingen. Slutt.", "nb", sections=(Section(0, 19, "allergy", 5),), sentences=((0, 12), (13, 19)))
    html = AnnotatedNote(note, sentences=True)._repr_html_()
    assert "<b>CAVE:</b>" in html
    assert html.count("¦") == 2
    assert "¦" not in AnnotatedNote(note)._repr_html_()


def test_every_label_of_a_coded_record_has_a_line_of_its_own() -> None:
    note = Normaliser().annotate(next(n for n in next(make_records("fi", "test", 1, seed=9)).notes if len(n.spans) > 6))
    looks = {
        label: style
        for style, label in re.findall(r'<mark style="([^"]*)">[^<]*</mark><small> (\w+)', AnnotatedNote(note)._repr_html_())
    }
    assert len(set(looks.values())) == len(looks) > 2


def test_of_spans_within_each_other_each_has_its_label_where_it_ends() -> None:
    note = Note("n", "Azure XT DR, ny.", "nb", (Span(0, 11, "MODEL"), Span(0, 5, "DRUG"), Span(6, 15, "X")))
    html = AnnotatedNote(note)._repr_html_()
    text = re.sub(r"</?mark[^<>]*>", "", html[html.index('<div class="fk-note">') :])
    assert "Azure<small> DRUG</small> XT DR<small> MODEL</small>, ny<small> X</small>." in text
