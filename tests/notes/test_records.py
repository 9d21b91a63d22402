"""Records: a story that agrees with itself over all of its notes, and splits that share nothing."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.notes.concepts.grammar import CASES, form
from fedkit.notes.concepts.tables import TABLES
from fedkit.notes.note import CLINICAL_LABELS, CONTEXT_ATTRIBUTES, Note, Section, Span
from fedkit.notes.synthetic.lexicon import concepts, of_split
from fedkit.notes.synthetic.records import RECORD_LANGUAGES, Record, make_records, synthesise_records
from fedkit.notes.synthetic.records.course import LEFT_BEHIND, SITES_OF
from fedkit.notes.synthetic.records.style import Edit, edited, known_forms, styled
from fedkit.notes.synthetic.records.writing import NAMES, written
from fedkit.notes.synthetic.templates import parts, pool, templates

SPLITS = ("train", "dev", "test")
KINDS = {"surgery", "outpatient", "medication list", "admission", "nursing", "radiology referral", "discharge"}


@pytest.fixture(scope="module")
def sample() -> dict[tuple[str, str], list[Record]]:
    return {(lang, split): list(make_records(lang, split, 25, seed=5)) for lang in RECORD_LANGUAGES for split in SPLITS}


def notes_of(records: list[Record]) -> list[Note]:
    return [n for r in records for n in r.notes]


# --- splits --------------------------------------------------------------------------------------------------------------


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(-(2**40), 2**40), language=st.sampled_from(RECORD_LANGUAGES))
def test_splits_share_no_form_no_template_and_no_patient_whatever_the_seed(seed: int, language: str) -> None:
    found = {split: notes_of(list(make_records(language, split, 12, seed))) for split in SPLITS}
    for one, other in (("train", "test"), ("train", "dev"), ("dev", "test")):
        for gather in (
            lambda notes: {n.text_of(s).casefold() for n in notes for s in n.spans},
            lambda notes: {t for n in notes for t in n.meta["templates"].split()},
            lambda notes: {n.patient for n in notes},
        ):
            assert not gather(found[one]) & gather(found[other])


@pytest.mark.parametrize("language", RECORD_LANGUAGES)
def test_no_form_of_the_test_split_stands_anywhere_in_training_text(
    sample: dict[tuple[str, str], list[Record]], language: str
) -> None:
    forms = {
        form(language, c.forms[language], case).casefold()
        for label in CLINICAL_LABELS
        for c in of_split(label, "test")
        for case in CASES[language]
    }
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, forms), key=len, reverse=True))})(?![\w-])")
    text = "\n".join(n.text.casefold() for n in notes_of(sample[language, "train"]))
    assert pattern.findall(text) == []


@pytest.mark.parametrize("language", RECORD_LANGUAGES)
def test_every_section_has_its_own_sentences_in_every_split(language: str) -> None:
    texts = [t.text for t in templates(language, "records")]
    assert len(set(texts)) == len(texts)
    for section in NAMES:
        for split in SPLITS:
            assert pool(language, section, split, "records")
    for template in templates(language, "records"):
        list(parts(template.text.replace("[", "").replace("]", "")))


def test_a_device_has_a_place_in_the_body_and_every_split_has_devices_to_leave_behind() -> None:
    sites = {c.name for c in concepts("BODY_SITE")}
    implants = {c.name for c in concepts("IMPLANT")}
    assert set(SITES_OF) <= implants
    assert {s for found in SITES_OF.values() for s in found} <= sites
    assert set(SITES_OF) >= LEFT_BEHIND
    for split in SPLITS:
        here = {c.name for c in of_split("BODY_SITE", split)}
        placed = {c.name for c in of_split("IMPLANT", split) if here & set(SITES_OF.get(c.name, ()))}
        assert len(placed) >= 4
        assert len(placed & LEFT_BEHIND) >= 2


# --- a record ------------------------------------------------------------------------------------------------------------


def test_all_seven_kinds_of_notes_tell_a_patient_in_order_of_time(sample: dict[tuple[str, str], list[Record]]) -> None:
    for records in sample.values():
        assert {n.meta["kind"] for n in notes_of(records)} == KINDS
        for record in records:
            days = [date.fromisoformat(n.date or "") for n in record.notes]
            assert days == sorted(days)
            assert len({n.id for n in record.notes}) == len(record.notes)
            assert {n.patient for n in record.notes} == {record.course.patient.id}
            assert all(n.author_role and n.department and n.type for n in record.notes)


def test_what_happened_is_in_the_order_in_which_it_can_happen(sample: dict[tuple[str, str], list[Record]]) -> None:
    for records in sample.values():
        for record in records:
            course = record.course
            r = course.reaction
            assert course.devices[0].implanted < r.started < r.onset <= course.dates["admitted"]
            assert (r.stopped is None) == (r.dechallenge == "not done")
            assert (r.outcome, r.dechallenge) in {
                ("recovered", "positive"),
                ("not recovered", "negative"),
                ("recovering", "not done"),
            }
            for device in course.devices:
                assert device.removed is None or device.implanted < device.removed
                assert (device.status == "removed") == (device.removed is not None)
                assert device.model.facts["manufacturer"] == device.manufacturer.name
                assert device.site.name in SITES_OF[device.implant.name]
            assert all(d.implanted < course.devices[0].implanted for d in course.devices[1:])


def test_spans_sections_and_relations_fit_and_say_what_the_course_says(sample: dict[tuple[str, str], list[Record]]) -> None:
    seen: set[tuple[str, str]] = set()
    for records in sample.values():
        for record in records:
            for note in record.notes:
                note.check()
                note.check_flat()
                assert Note.from_row(note.to_row()) == note
                assert all(s.name in NAMES.values() for s in note.sections)
                assert [s.end for s in note.sections][-1] == len(note.text)
                for relation in note.relations:
                    head, tail = note.spans[relation.head], note.spans[relation.tail]
                    assert "negated" not in tail.attributes
                    if relation.label == "adverse_effect":
                        assert (head.label, tail.label) == ("DRUG", "REACTION")
                        if "outcome" in relation.attributes:
                            assert relation.attributes["outcome"] == record.course.reaction.outcome
                    else:
                        assert (head.label, tail.label) == ("IMPLANT", relation.label.upper())
                    seen |= {(relation.label, k) for k in relation.attributes} | {(relation.label, "")}
    assert seen == {
        *(("adverse_effect", k) for k in ("", "seriousness", "outcome", "dechallenge")),
        *((name, "") for name in ("manufacturer", "model", "body_site")),
    }


def test_a_record_says_the_same_dose_side_and_date_in_all_its_notes() -> None:
    for record in make_records("nb", "train", 30, seed=8):
        plain = [n for n in record.notes if "style" not in n.meta]
        doses: dict[str, set[str]] = {}
        for note in plain:
            for span in note.spans:
                if span.label == "DRUG" and "dose" in span.attributes:
                    doses.setdefault(note.text_of(span).casefold(), set()).add(span.attributes["dose"])
        assert all(len(found) == 1 for found in doses.values())
        device = record.course.devices[0]
        implanted = {
            s.attributes["implanted"]
            for n in record.notes
            for s in n.spans
            if s.label == "IMPLANT" and n.text_of(s).casefold() in {w.casefold() for w in device.implant.forms["nb"]}
        }
        assert implanted <= {d.implanted.isoformat() for d in record.course.devices}
        for note in plain:
            for found in re.findall(r"\d\d\.\d\d\.\d{4}", note.text):
                assert found in {written(d, "nb") for d in (*record.course.dates.values(), date.fromisoformat(note.date or ""))}


@pytest.mark.parametrize("language", RECORD_LANGUAGES)
def test_the_training_notes_teach_every_circumstance(sample: dict[tuple[str, str], list[Record]], language: str) -> None:
    notes = notes_of(sample[language, "train"])
    seen = {(s.label, k, v) for n in notes for s in n.spans for k, v in s.attributes.items()}
    for name in CONTEXT_ATTRIBUTES:
        assert ("REACTION", name, "true") in seen
    assert ("DRUG", "family", "true") in seen
    assert {v for label, k, v in seen if (label, k) == ("IMPLANT", "status")} == {"present", "removed", "abandoned", "absent"}
    assert {s.label for n in notes for s in n.spans} == set(TABLES)
    assert {w for n in notes for w in n.meta.get("style", "").split()} == {"abbreviated", "misspelt", "dictated"}


def test_equal_arguments_give_equal_records_and_more_patients_begin_with_the_same_ones() -> None:
    few, many = list(make_records("et", "dev", 3, seed=2)), list(make_records("et", "dev", 6, seed=2))
    assert [r.notes for r in few] == [r.notes for r in many[:3]]
    assert [r.notes for r in few] != [r.notes for r in make_records("et", "dev", 3, seed=3)]


def test_a_corpus_of_records_has_a_twin_and_its_sizes() -> None:
    counted: dict[str, int] = {}
    corpus = synthesise_records(
        ("no", "fi"), {"no": 3, "fi": 2}, 1, {"dev": 1, "test": 1}, lambda s, n: counted.update({s: counted.get(s, 0) + n})
    )
    assert [len({n.patient for n in corpus.sites[s].train}) for s in ("no", "fi")] == [3, 2]
    assert all(site.mock for site in corpus.sites.values())
    assert counted["no"] == sum(len(notes) for split, notes in corpus.sites["no"].splits() if split != "mock")


@pytest.mark.parametrize(("language", "split"), [("en", "train"), ("nb", "mock"), ("nn", "train")])
def test_other_languages_and_splits_are_refused(language: str, split: str) -> None:
    with pytest.raises(ValueError, match="records are made in"):
        make_records(language, split, 1)
    with pytest.raises(ValueError, match="at least one patient"):
        synthesise_records(("no",), 0)


# --- style ---------------------------------------------------------------------------------------------------------------

_NOTE = Note(
    "n",
    "Pasienten fikk kraftig utslett av metoprolol.\nNy undersøkelse i morgen. Venstre kne er bra. Takk.",
    "nb",
    (Span(23, 30, "REACTION"), Span(34, 44, "DRUG"), Span(49, 61, "X"), Span(80, 83, "BODY_SITE")),
    sections=(Section(0, 45, "reason", 0), Section(46, 97, "plan", 46)),
)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(sorted(KINDS)))
def test_whatever_the_style_spans_keep_their_words(seed: int, kind: str) -> None:
    note = styled(_NOTE, kind, random.Random(seed))
    note.check()
    for old, new in zip(_NOTE.spans, note.spans, strict=True):
        word, now = _NOTE.text_of(old), note.text_of(new)
        if "misspelt" in new.attributes:
            assert now != word
            assert now[0] == word[0]
            assert now.casefold() not in known_forms()
        else:
            assert now == word
    assert note.text.count("kne") == 1
    assert (note.meta.get("style", "") == "") == (note.text == _NOTE.text)
    # The second section still begins where its first sentence does, typed in full, abbreviated, misspelt or dictated.
    assert note.text[note.sections[1].start :].startswith("Ny ")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_offsets_follow_any_edits(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.text("abcø👍", min_size=1, max_size=5), min_size=1, max_size=8))
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    note = Note("n", " ".join(words), "nb", tuple(Span(a, b, "X") for a, b in places))
    new = {i: data.draw(st.text("xyz", min_size=1, max_size=7)) for i in data.draw(st.sets(st.sampled_from(range(len(words)))))}
    changed = edited(note, [Edit(*places[i], w) for i, w in new.items()])
    changed.check()
    assert [changed.text_of(s) for s in changed.spans] == [new.get(i, w) for i, w in enumerate(words)]
