"""A whole note: no field says whose it is, every offset still stands at its words, and the way back is exact."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.errors import CorpusError
from fedkit.notes.deidentify import Deidentifier, OffsetMap, ProjectKey, Replacement, deidentify_note
from fedkit.notes.note import Note, Relation, Section, Span

TEXT = (
    "Aktuelt: Kari Hansen (93 år gammel) fikk utslett av Marevan 12.05.2018. "
    "Kontroll 19.05.2018 hos dr. Finn Eilertsen, tlf 22 33 44 55."
)


def note(**more: object) -> Note:
    drug, rash = TEXT.index("Marevan"), TEXT.index("utslett")
    end = TEXT.index("2018.") + 5
    fields: dict[str, object] = {
        "id": "29018370258-1",
        "text": TEXT,
        "language": "nb",
        "spans": (
            Span(rash, rash + 7, "REACTION"),
            Span(drug, drug + 7, "DRUG", {"negated": "true", "said by": "Kari Hansen"}),
        ),
        "relations": (Relation(1, 0, "causes"),),
        "patient": "29018370258",
        "date": "2018-05-19T10:00:00+02:00",
        "department": "Haukeland universitetssykehus",
        "type": "discharge summary",
        "meta": {"file": "kari_hansen.txt", "version": "2"},
        "sections": (Section(0, len(TEXT), "reason", 8),),
        "sentences": ((0, end), (end + 1, len(TEXT))),
    }
    return Note(**{**fields, **more})  # type: ignore[arg-type]


def test_nothing_in_the_row_says_whose_it_is(worker: Deidentifier) -> None:
    new, _ = deidentify_note(worker, note(tokens=tuple(re.findall(r"\w+|[^\w\s]", TEXT))))
    row = json.dumps(new.to_row(), ensure_ascii=False)
    for secret in (
        "Kari",
        "Hansen",
        "hansen",
        "Finn",
        "Eilertsen",
        "29018370258",
        "22 33 44 55",
        "12.05.2018",
        "2018-05-19",
        "93",
        "Haukeland",
    ):
        assert secret not in row, secret
    assert new.type == "discharge summary"
    assert "90+ år gammel" in new.text


def test_spans_relations_sections_and_sentences_stand_where_their_words_do(worker: Deidentifier) -> None:
    new, _ = deidentify_note(worker, note())
    assert [(new.text_of(s), s.label, dict(s.attributes)) for s in new.spans] == [
        ("utslett", "REACTION", {}),
        ("Marevan", "DRUG", {"negated": "true"}),
    ]
    assert new.relations == (Relation(1, 0, "causes"),)
    assert new.sections == (Section(0, len(new.text), "reason", 8),)
    assert [new.text[a:b][-1] for a, b in new.sentences] == [".", "."]


def test_the_date_of_the_note_moves_with_those_in_it(worker: Deidentifier) -> None:
    new, _ = deidentify_note(worker, note())
    days = re.findall(r"\d\d\.\d\d\.\d{4}", new.text)
    first, second = (date(int(d[6:]), int(d[3:5]), int(d[:2])) for d in days)
    assert new.date is not None
    assert new.date.endswith("T10:00:00+02:00")
    assert (second - first).days == 7
    assert date.fromisoformat(new.date[:10]) == second


def test_a_second_run_changes_nothing_and_another_project_is_refused(worker: Deidentifier) -> None:
    once, _ = deidentify_note(worker, note())
    again, changed = deidentify_note(worker, once)
    assert again == once
    assert changed.replacements == ()
    with pytest.raises(CorpusError) as error:
        deidentify_note(Deidentifier(ProjectKey(b"x" * 16)), once)
    assert once.text not in error.value.diagnostics()


def test_patients_are_the_same_within_a_project_alone(worker: Deidentifier) -> None:
    one, _ = deidentify_note(worker, note())
    two, _ = deidentify_note(worker, note(id="2"))
    other, _ = deidentify_note(Deidentifier(ProjectKey(b"y" * 16)), note())
    assert one.patient == two.patient != other.patient
    assert one.id != two.id


def test_meta_is_kept_by_name_alone(worker: Deidentifier) -> None:
    new, _ = deidentify_note(worker, note(), keep_meta=("version",))
    assert dict(new.meta) == {"deidentified": worker.key.fingerprint, "version": "2"}


def test_a_heading_that_was_a_name_loses_it(worker: Deidentifier) -> None:
    text = "Kari Hansen\nkom til kontroll."
    new, _ = deidentify_note(worker, Note("1", text, "nb", sections=(Section(0, len(text), "Kari Hansen", 11),)))
    assert new.sections[0].name == ""
    assert new.sections[0].header_end == new.text.index("\n")


def test_pieces_of_a_discontinuous_span_move_apart_or_fall_together(worker: Deidentifier) -> None:
    text = "smerter hos Kari Hansen i hofte"
    spans = (Span(0, len(text), "REACTION", fragments=((0, 7), (24, len(text)))),)
    new, _ = deidentify_note(worker, Note("1", text, "nb", spans=spans))
    assert new.text_of(new.spans[0]) == "smerter i hofte"


PIECES = st.lists(
    st.sampled_from(
        [
            "Kari Hansen",
            "12.05.2018",
            "tlf 22 33 44 55",
            "fnr ２９01\u00a083 70258",
            "kvalme",
            "og",
            ".",
            "\n",
            "Å\u030a",
            "dr. Lund",
            "93 år gammel",
            "Oslo",
            "😀",
        ]
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.data())
def test_any_span_stays_valid_and_the_way_back_covers_it(pieces: list[str], data: st.DataObject) -> None:
    worker = Deidentifier(ProjectKey(b"q" * 16))
    text = " ".join(pieces)
    starts = data.draw(st.lists(st.integers(0, len(text) - 1), max_size=5))
    spans = [Span(a, data.draw(st.integers(a + 1, len(text))), f"S{i}") for i, a in enumerate(starts)]
    sentences = ((0, len(text) // 2), (len(text) // 2, len(text))) if len(text) > 1 else ()
    old = Note("1", text, "nb", sentences=sentences, tokens=tuple(text.split())).with_spans(spans)
    new, changed = deidentify_note(worker, old)
    new.check()
    by_label = {span.label: span for span in new.spans}
    assert len(by_label) == len(spans)
    for before in spans:
        after = by_label[before.label]
        start, end = changed.offsets.to_original(after.start, after.end)
        assert start <= before.start
        assert before.end <= end
    untouched = [i for i in range(len(text)) if not any(r.start <= i < r.end for r in changed.replacements)]
    for i in untouched:
        start, end = changed.offsets.to_changed(i, i + 1)
        assert new.text[start:end] == text[i]
        assert changed.offsets.to_original(start, end) == (i, i + 1)
    at = 0
    for token in new.tokens or ():
        at = new.text.index(token, at) + len(token)


def test_a_map_out_of_order_is_refused() -> None:
    with pytest.raises(CorpusError):
        OffsetMap([Replacement(5, 6, 5, 6, "NAME", "r"), Replacement(1, 2, 1, 2, "NAME", "r")])


def test_representations_show_no_text(worker: Deidentifier) -> None:
    _, changed = deidentify_note(worker, note())
    assert not re.search(r"Kari|Hansen|Marevan", repr(changed) + repr(changed.replacements))
