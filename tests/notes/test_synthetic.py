"""Synthetic notes: spans that fit, splits that share nothing, the same notes for the same seed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.errors import CorpusError
from fedkit.notes.concepts.grammar import CASES, form
from fedkit.notes.corpus import Corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.notes.note import CLINICAL_LABELS, LANGUAGES, Note
from fedkit.notes.synthetic import HELD_OUT, SITES, synthesise
from fedkit.notes.synthetic.lexicon import concepts, of_split
from fedkit.notes.synthetic.templates import KINDS, parts, pool, templates

SPLITS = ("train", "dev", "test")
FEW = {"dev": 25, "test": 25}


@pytest.fixture(scope="module")
def sample() -> Corpus:
    return synthesise()


def notes_of(corpus: Corpus, *splits: str) -> list[Note]:
    return [n for site in corpus.sites.values() for split in splits for n in getattr(site, split)]


def span_forms(notes: list[Note]) -> set[str]:
    return {n.text[s.start : s.end].casefold() for n in notes for s in n.spans}


def forms_of(language: str) -> dict[str, str]:
    """Every form of every concept of a language, and its label."""
    return {
        form(language, concept.forms[language], case).casefold(): label
        for label in CLINICAL_LABELS
        for concept in concepts(label)
        for case in CASES[language]
    }


def as_words(forms: set[str]) -> re.Pattern[str]:
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(longest_first)})(?![\w-])")


# --- splits --------------------------------------------------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(-(2**40), 2**40))
def test_splits_share_no_form_no_template_and_no_patient_whatever_the_seed(seed: int) -> None:
    corpus = synthesise(notes_per_site=40, seed=seed, splits=FEW)
    for one, other in (("train", "test"), ("train", "dev"), ("dev", "test")):
        a, b = notes_of(corpus, one), notes_of(corpus, other)
        assert not span_forms(a) & span_forms(b)
        assert not {t for n in a for t in n.meta["templates"].split()} & {t for n in b for t in n.meta["templates"].split()}
        assert not {n.patient for n in a} & {n.patient for n in b}


def test_no_form_of_the_test_split_stands_anywhere_in_the_training_text(sample: Corpus) -> None:
    pattern = as_words(span_forms(notes_of(sample, "test")))
    assert [m[0] for n in notes_of(sample, "train", "dev") for m in pattern.finditer(n.text.casefold())] == []


def test_no_sentence_of_the_test_split_is_a_training_sentence_with_other_words(sample: Corpus) -> None:
    def skeletons(split: str) -> set[str]:
        found = set()
        for note in notes_of(sample, split):
            text = note.text
            for span in reversed(note.spans):
                text = f"{text[: span.start]}<{span.label}>{text[span.end :]}"
            # Lines that are a drug and its dose, or a heading and one word, are the same everywhere; sentences are not.
            found |= {re.sub(r"\d+", "0", s) for s in re.split(r"(?<=[.?]) |\n", text) if len(re.findall(r"\w{3,}", s)) > 6}
        return found

    assert skeletons("train")
    assert not skeletons("train") & skeletons("test")


def test_every_form_belongs_to_one_split_in_all_languages() -> None:
    splits: dict[str, set[str]] = {}
    for label in CLINICAL_LABELS:
        for concept in concepts(label):
            for language in LANGUAGES:
                for case in CASES[language]:
                    splits.setdefault(form(language, concept.forms[language], case).casefold(), set()).add(concept.split)
    assert {f: s for f, s in splits.items() if len(s) > 1} == {}


@pytest.mark.parametrize(
    ("label", "least"),
    [("DRUG", 60), ("REACTION", 60), ("IMPLANT", 40), ("MANUFACTURER", 20), ("MODEL", 60), ("BODY_SITE", 40)],
)
def test_there_are_words_enough_and_every_group_is_in_every_split(label: str, least: int) -> None:
    assert len(concepts(label)) >= least
    groups = {c.group for c in concepts(label)}
    for split in SPLITS:
        assert {c.group for c in of_split(label, split)} == groups
    for language in LANGUAGES:
        assert all(f.strip() == f and f for c in concepts(label) for f in c.forms[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_has_templates_in_every_split_and_every_slot_is_one(language: str) -> None:
    for section in {s.strip("()") for sections in KINDS.values() for s in sections}:
        for split in SPLITS:
            assert pool(language, section, split)
    for template in templates(language):
        list(parts(template.text.replace("[", "").replace("]", "")))
    assert len(templates(language)) >= (25 if language != "nn" else 20)
    texts = [t.text for t in templates(language)]
    assert len(set(texts)) == len(texts)


# --- notes ---------------------------------------------------------------------------------------------------------------


def test_every_span_is_a_form_of_its_label_in_the_language_of_its_note(sample: Corpus) -> None:
    known = {language: forms_of(language) for language in LANGUAGES}
    for note in notes_of(sample, *SPLITS):
        note.check()
        for span in note.spans:
            assert known[note.language][note.text[span.start : span.end].casefold()] == span.label


def test_every_known_word_in_a_note_is_labelled(sample: Corpus) -> None:
    for language in LANGUAGES:
        pattern = as_words(set(forms_of(language)))
        for note in notes_of(sample, *SPLITS):
            if note.language == language:
                for match in pattern.finditer(note.text.casefold()):
                    assert any(s.start <= match.start() and match.end() <= s.end for s in note.spans), (note.id, match.span())


def test_every_label_and_attribute_is_taught_at_every_site(sample: Corpus) -> None:
    for site in sample.sites.values():
        for split in SPLITS:
            assert {s.label for n in getattr(site, split) for s in n.spans} == set(CLINICAL_LABELS)
        seen = {(s.label, k, v) for n in site.train for s in n.spans for k, v in s.attributes.items() if k != "dose"}
        for wanted in (
            *(("DRUG", "status", v) for v in ("current", "started", "stopped", "suspected", "changed")),
            *(("DRUG", "route", v) for v in ("oral", "iv", "sc")),
            *(("IMPLANT", "status", v) for v in ("present", "removed", "suspected", "absent")),
            *(("BODY_SITE", "laterality", v) for v in ("left", "right")),
            *(("REACTION", "seriousness", v) for v in ("serious", "non-serious")),
            ("REACTION", "negated", "yes"),
        ):
            assert wanted in seen


def test_a_model_comes_from_its_maker(sample: Corpus) -> None:
    maker = {c.forms["nb"][0]: c.facts["manufacturer"] for c in concepts("MODEL")}
    for note in notes_of(sample, *SPLITS):
        named = {note.text[s.start : s.end] for s in note.spans if s.label == "MANUFACTURER"}
        models = {note.text[s.start : s.end] for s in note.spans if s.label == "MODEL"}
        assert not named or {maker[m] for m in models} <= named


def test_the_patients_of_a_note_keep_their_sex_and_age(sample: Corpus) -> None:
    ages: dict[str, set[str]] = {}
    for note in sample.sites["fi"].train:
        ages.setdefault(note.patient or "", set()).update(re.findall(r"(\d+)-vuotias", note.text))
    assert max(len(found) for found in ages.values()) == 1


def test_no_note_has_a_date_or_a_number_long_enough_to_be_a_persons(sample: Corpus) -> None:
    for note in notes_of(sample, *SPLITS):
        assert not re.search(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{6,}|@", note.text)


def test_text_is_tidy_and_hardly_ever_the_same_twice(sample: Corpus) -> None:
    texts = Counter(n.text for n in notes_of(sample, *SPLITS))
    assert len(texts) == sum(texts.values())
    assert [t for t in texts if re.search(r"  |\.\.|[{}\[\]|]| [.,;]|^\s|\s$", t)] == []


# --- seeds and sizes -----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_notes_and_another_seed_gives_others() -> None:
    one, again, other = (synthesise(("fi", "et"), 20, seed, FEW) for seed in (5, 5, 6))
    assert one == again
    assert one.digest == again.digest
    assert not {n.text for n in notes_of(one, "train")} & {n.text for n in notes_of(other, "train")}


def test_a_larger_corpus_begins_with_the_smaller_one_and_a_site_does_not_depend_on_the_others() -> None:
    small, large = synthesise(("da", "et"), 10, 1, FEW), synthesise(("et",), 30, 1, FEW)
    assert large.sites["et"].train[:10] == small.sites["et"].train


def test_sizes_are_skewed_by_default_and_as_asked_otherwise(sample: Corpus) -> None:
    assert [len(s.train) for s in sample.sites.values()] == [s.training_notes for s in SITES]
    assert {len(s.dev) for s in sample.sites.values()} == {HELD_OUT["dev"]}
    assert {n.language for n in sample.sites["no"].train} == {"nb", "nn"}
    asked = synthesise(("nb", "fi"), {"no": 7, "fi": 3}, 1, {"dev": 12, "test": 12})
    assert [(name, len(s.train), len(s.dev)) for name, s in asked.sites.items()] == [("no", 7, 12), ("fi", 3, 12)]


@pytest.mark.parametrize("wrong", [{"languages": ("de",)}, {"languages": ()}, {"notes_per_site": 0}, {"splits": {"dev": 0}}])
def test_what_cannot_be_made_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="site"):
        synthesise(**wrong)  # type: ignore[arg-type]


# --- the committed samples -----------------------------------------------------------------------------------------------


def test_the_committed_samples_are_what_the_generator_makes(sample: Corpus, tmp_path: Path, root: Path) -> None:
    write_corpus(sample, tmp_path / "made")
    made = {p.relative_to(tmp_path / "made"): p.read_bytes() for p in (tmp_path / "made").rglob("*") if p.is_file()}
    committed = {path: (root / "data_samples" / path).read_bytes() for path in made}
    assert made == committed
    assert sum(map(len, made.values())) < 6_000_000


def test_the_committed_samples_are_read_without_a_warning(sample: Corpus, root: Path) -> None:
    corpus = read_corpus(root / "data_samples")
    assert corpus == sample
    assert corpus.warnings == ()


def test_the_data_sheet_states_the_counts_of_the_samples(sample: Corpus, root: Path) -> None:
    from fedkit.notes.synthetic.datasheet import counts

    assert counts(sample) in (root / "data_samples" / "DATASHEET.md").read_text("utf-8")


def test_no_form_of_a_private_note_stands_in_a_mock_twin(sample: Corpus) -> None:
    pattern = as_words(span_forms(notes_of(sample, *SPLITS)))
    assert [m[0] for n in notes_of(sample, "mock") for m in pattern.finditer(n.text.casefold())] == []


def test_two_sites_of_one_name_cannot_be_built(sample: Corpus) -> None:
    from fedkit.notes.corpus import build_corpus

    with pytest.raises(CorpusError, match="same name"):
        build_corpus([sample.sites["fi"], sample.sites["fi"]])
