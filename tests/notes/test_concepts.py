"""Concepts: forms, spellings, endings and slips of one name lead to one code, and ordinary words to none."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.notes.concepts import Normaliser, Term, built_in
from fedkit.notes.concepts.grammar import CASES, form
from fedkit.notes.concepts.spelling import sound, stem
from fedkit.notes.concepts.tables import TABLES, entries
from fedkit.notes.note import LANGUAGES, Concept, Note, Relation, Span
from fedkit.notes.synthetic import synthesise


@pytest.fixture(scope="module")
def known() -> Normaliser:
    return Normaliser()


# --- one name, many forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mention", "label", "language", "code", "how"),
    [
        ("metoprololia", "DRUG", "fi", "C07AB02", "form"),
        ("Selekoksibia", "DRUG", "fi", "M01AH01", "form"),
        ("phenytoin", "DRUG", "nb", "N03AB02", "form"),
        ("selekoksib", "DRUG", "nb", "M01AH01", "spelling"),  # a name by another country's rules
        ("klopidogreliga", "DRUG", "et", "B01AC04", "spelling"),
        ("metotreksadiga", "DRUG", "et", "L01BA01", "spelling"),
        ("paracetamolen", "DRUG", "sv", "N02BE01", "inflection"),
        ("penisillinallergi", "DRUG", "nb", "J01C", "inflection"),
        ("penisilliiniallergia", "DRUG", "fi", "J01C", "inflection"),
        ("metropolol", "DRUG", "da", "C07AB02", "misspelling"),
        ("simvastin", "DRUG", "nb", "C10AA01", "misspelling"),
        ("utslettet", "REACTION", "nb", "R21", "inflection"),
        ("trombocytopenni", "REACTION", "da", "D69.6", "misspelling"),
        ("ägeda neerukahjustuse", "REACTION", "et", "N17.9", "form"),
        ("ICD-en", "IMPLANT", "nb", "J01", "form"),
        ("Medtronicin", "MANUFACTURER", "fi", "Medtronic", "inflection"),
        ("Boston Scientificin", "MANUFACTURER", "fi", "Boston Scientific", "inflection"),
        ("Gamma 3", "MODEL", "sv", "Gamma3", "form"),
        ("polvessa", "BODY_SITE", "fi", "knee", "form"),
    ],
)
def test_a_mention_leads_to_its_code(
    known: Normaliser, mention: str, label: str, language: str, code: str | None, how: str
) -> None:
    match = known.lookup(mention, label, language)
    assert (match and match.term.concepts[0].code, match.how if match else "") == (code, how)


def test_every_form_of_every_table_leads_to_its_own_entry(known: Normaliser) -> None:
    for label in TABLES:
        for entry in entries(label):
            for language in LANGUAGES:
                for case in CASES[language]:
                    match = known.lookup(form(language, entry.forms[language], case), label, language)
                    assert match is not None
                    assert match.how == "form"
                    assert entry.name in {c.name.partition(" (")[0] for c in match.term.concepts}


def test_a_mention_of_which_only_the_beginning_is_known_says_so(known: Normaliser) -> None:
    match = known.lookup("metoprolol 50 mg", "DRUG", "nb")
    assert match is not None
    assert (match.how, match.score, match.term.concepts[0].code) == ("part", pytest.approx(1 / 3), "C07AB02")
    assert known.lookup("50 mg metoprolol", "DRUG", "nb") is None


@pytest.mark.parametrize(
    "spellings",
    [
        ("celecoxib", "celekoksib", "selekoksibi", "tselekoksiib"),
        ("quetiapine", "kvetiapin", "ketiapiini", "kvetiapiin"),
        ("phenytoin", "fenytoin", "fenytoiini", "fenütoiin"),
        ("ciclosporin", "ciklosporin", "siklosporiini", "tsüklosporiin"),
        ("warfarin", "varfariini", "varfariin"),
    ],
)
def test_national_spellings_meet(spellings: tuple[str, ...]) -> None:
    assert len({stem(s) for s in spellings}) == 1


def test_no_two_drugs_of_the_list_sound_the_same() -> None:
    """Or one would be taken for the other."""
    sounds: dict[str, set[str]] = {}
    for term in built_in():
        if term.label == "DRUG":
            sounds.setdefault(sound(term.text), set()).add(term.concepts[0].name)
    assert {s: names for s, names in sounds.items() if len(names) > 1} == {}


# --- what is no name ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Han er mentor for to nye, skriver pm og går gjennom atrium på vei til møtet.", "nb"),  # makers, written small
        ("Enligt PM och pm tog vi detta och gick ut.", "sv"),  # an abbreviation counts in its own capitals
        ("Koder: ICD-10 I48, ICD 10 Z95. OR 1,2, 95 % CI 0,9–1,4. PM10 i luften.", "nb"),  # a longer name that is none
        ("Hun drak et glas vand og læste en bog i går aftes.", "da"),
        ("Syksyn aikana kymmenen ihmistä kävi kävelyllä.", "fi"),
        ("Ta töötas raamatukogus ja kirjutas kirja.", "et"),
    ],
)
def test_ordinary_words_are_no_names(known: Normaliser, text: str, language: str) -> None:
    assert known.find(text, language) == ()


def test_a_single_slip_is_forgiven_and_a_second_one_is_not(known: Normaliser) -> None:
    assert known.lookup("tramadlol", "DRUG", "nb") is not None
    assert known.lookup("tradmalol", "DRUG", "nb") is None
    assert Normaliser(least=101).lookup("tramadlol", "DRUG", "nb") is None


@pytest.mark.parametrize(
    ("word", "label", "language", "never"),
    [
        ("hypertensjon", "REACTION", "nb", "hypotension"),  # too much and too little
        ("hüpertensioon", "REACTION", "et", "hypotension"),
        ("hypokalsemi", "REACTION", "nb", "hypokalaemia"),
        ("hypernatremi", "REACTION", "sv", "hyponatraemia"),
        ("hypofosfatemi", "REACTION", "nb", "hypokalaemia"),
        ("hyperglykaemi", "REACTION", "da", "hypoglycaemia"),
        ("forverring", "REACTION", "nb", "confusion"),
        ("hjertestimulator", "IMPLANT", "nb", "deep brain stimulator"),
        ("pitavastatin", "DRUG", "nb", "pravastatin"),
        ("valganciklovir", "DRUG", "sv", "valaciclovir"),
        ("penicillamin", "DRUG", "da", "penicillin"),
        ("prednison", "DRUG", "nb", "prednisolone"),
    ],
)
def test_a_word_of_its_own_is_no_slip_for_another(known: Normaliser, word: str, label: str, language: str, never: str) -> None:
    match = known.lookup(word, label, language)
    assert match is None or match.term.concepts[0].name != never


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60), language=st.sampled_from((*LANGUAGES, "", "de")))
def test_any_text_gives_valid_spans_in_order(known: Normaliser, text: str, language: str) -> None:
    spans = known.find(text, language)
    Note("n", text, language, spans).check()
    Note("n", text, language, spans).check_flat()
    assert all(s.concepts and s.label in TABLES for s in spans)
    # A site that looks for one label is not told of another, nor of a name where there is none.
    assert all(s.label == "IMPLANT" for s in known.find("ICD-10 " + text, language, ("IMPLANT",)))


_WORDS = [
    "metoprolol",
    "utslett",
    "Azure XT DR",
    "Medtronic",
    "kne",
    "penisillinallergi",
    "warfarin",
    "æøå",
    "👍",
    ".",
    "\n",
    "50 mg",
]


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.sampled_from(_WORDS), max_size=12))
def test_names_are_found_wherever_they_stand(known: Normaliser, words: list[str]) -> None:
    text = " ".join(words)
    found = [text[s.start : s.end] for s in known.find(text, "nb")]
    names = {"metoprolol", "utslett", "Azure XT DR", "Medtronic", "kne", "penisillinallergi", "warfarin"}
    assert found == ["penisillin" if w == "penisillinallergi" else w for w in words if w in names]


def test_what_a_word_means_does_not_depend_on_the_notes_before() -> None:
    fresh, used = Normaliser(), Normaliser()
    used.find("Metoprolol metropolol Azure penisillinallergi kne utslettet " * 3, "nb", ("DRUG",))
    for text in ("metropolol ved kne", "Azure XT DR", "penisillinallergi", "utslettet"):
        assert used.find(text, "nb") == fresh.find(text, "nb")


def test_the_beginning_of_a_longer_name_is_still_a_word_of_its_own() -> None:
    own = (
        Term("Kalsium forte", "DRUG", "", (Concept("house", "1"),)),
        Term("Kalsius", "DRUG", "", (Concept("house", "2"),)),
    )
    normaliser = Normaliser(own)
    found = [(s.start, s.end, s.concepts[0].code) for s in normaliser.find("Kalsium forte, kalsium, kalsius", "nb")]
    assert found == [(0, 13, "1"), (15, 22, "2"), (24, 31, "2")]


def test_letters_with_combining_marks_are_the_same_letters(known: Normaliser) -> None:
    text = "Sydämentykytystä, hengenahdistuksiä ja sydämentahdistimella hüpertensioon."
    apart = unicodedata.normalize("NFD", text)
    found = [unicodedata.normalize("NFC", apart[s.start : s.end]) for s in known.find(apart, "fi")]
    assert found == [text[s.start : s.end] for s in known.find(text, "fi")]
    assert len(found) >= 2


def test_a_note_without_blanks_is_read_and_costs_no_memory(known: Normaliser) -> None:
    assert known.find("metoprolol" * 100_000, "nb") == ()
    assert max((len(word) for memory in known._memory.values() for word in memory), default=0) < 100


# --- notes ----------------------------------------------------------------------------------------------------------------


def test_a_note_keeps_its_spans_and_relations_and_gets_codes_and_new_spans(known: Normaliser) -> None:
    text = "Utslett etter warfarin, varm kne."
    house = (Concept("house", "7"),)
    note = Note(
        "n",
        text,
        "nb",
        (Span(0, 7, "REACTION", {"negated": "true"}, house), Span(14, 22, "DRUG")),
        relations=(Relation(1, 0, "suspected"),),
    )
    coded = known.annotate(note)
    assert [(s.label, s.concepts[0].code) for s in coded.spans] == [
        ("REACTION", "7"),
        ("DRUG", "B01AA03"),
        ("BODY_SITE", "knee"),
    ]
    assert coded.spans[0].attributes == {"negated": "true"}
    assert [coded.text_of(coded.spans[r.head]) for r in coded.relations] == ["warfarin"]
    assert known.annotate(coded) == coded
    assert known.annotate(note, add=False).spans[1].concepts[0].code == "B01AA03"
    assert len(known.annotate(note, add=False).spans) == 2


def test_a_span_of_another_kind_hides_nothing_and_one_of_the_vocabulary_does(known: Normaliser) -> None:
    note = Note("n", "The pacemaker is new.", "nb", (Span(0, 21, "FOREIGN"),))
    assert [s.label for s in known.annotate(note).spans] == ["FOREIGN", "IMPLANT"]
    labelled = Note("n", "Azure pacemaker", "nb", (Span(0, 15, "IMPLANT"),))
    assert [s.label for s in known.annotate(labelled).spans] == ["IMPLANT"]


def test_the_synthetic_notes_are_coded_whole(known: Normaliser) -> None:
    corpus = synthesise(notes_per_site=15, seed=3, splits={"dev": 5, "test": 15})
    for site in corpus.sites.values():
        for note in (*site.train, *site.test):
            coded = known.annotate(note, add=False)
            assert all(s.concepts for s in coded.spans)
            assert [(s.start, s.end, s.label) for s in coded.spans] == [(s.start, s.end, s.label) for s in note.spans]


def test_a_site_vocabulary_goes_before_and_both_codes_are_given() -> None:
    own = Term("Warfarin", "DRUG", "", (Concept("house", "W1", "Warfarin tabl"),))
    match = Normaliser((own,), built_in()).lookup("warfarin", "DRUG", "nb")
    assert match is not None
    assert [c.system for c in match.term.concepts] == ["house", "ATC"]
    assert Normaliser((own,)).lookup("metoprolol", "DRUG", "nb") is None


# --- codes, against the lists of others -----------------------------------------------------------------------------------


@pytest.mark.corpora
def test_every_drug_code_stands_in_the_index_under_that_name(corpora: Path) -> None:
    rows = (corpora / "lex-atc-en/atc.tsv").read_text("utf-8").splitlines()
    index = {row.split("\t")[0]: row.split("\t")[1].casefold() for row in rows}
    for concept in {c for t in built_in() if t.label == "DRUG" for c in t.concepts}:
        assert concept.code in index, concept.code
        if len(concept.code) == 7:
            words = index[concept.code].split()
            assert (
                concept.name.casefold().split()[0] in words
                or "combination" in index[concept.code]
                or " and " in index[concept.code]
            )


@pytest.mark.corpora
def test_of_all_drugs_of_the_index_hardly_one_is_taken_for_another(known: Normaliser, corpora: Path) -> None:
    """2,875 names, most of which the vocabulary does not have: a slip is forgiven, but not so far that drugs change."""
    names: dict[str, set[str]] = {}
    for row in (corpora / "lex-atc-en/atc.tsv").read_text("utf-8").splitlines()[1:]:
        code, name, *_ = row.split("\t")
        if len(code) == 7 and " " not in name:
            names.setdefault(name.casefold(), set()).add(code)
    found = {name: known.lookup(name, "DRUG", "en") for name in names}
    wrong = {n: m.term.text for n, m in found.items() if m and not names[n] & {c.code for c in m.term.concepts}}
    assert len(names) > 2500
    assert set(wrong) <= {"cortisone"}  # which in Nordic notes stands for its class


@pytest.mark.corpora
def test_every_effect_code_stands_in_the_swedish_or_norwegian_classification(corpora: Path) -> None:
    files = ("lex-sv-classifications/icd10se_sv.tsv", "lex-nb-diagnoses/icd10_nb.tsv")
    index = {row.split("\t")[0] for f in files for row in (corpora / f).read_text("utf-8").splitlines()}
    codes = {c.code for t in built_in() if t.label == "REACTION" for c in t.concepts if c.system == "ICD-10"}
    assert len(codes) > 80
    assert {c for c in codes if not any(known.startswith(c.replace(".", "")) for known in index)} == set()


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("file", "language"),
    [("lex-nb-diagnoses/icd10_nb.tsv", "nb"), ("lex-sv-classifications/icd10se_sv.tsv", "sv")],
    ids=["Norwegian", "Swedish"],
)
def test_a_title_of_the_classification_leads_back_to_its_category(
    known: Normaliser, corpora: Path, file: str, language: str
) -> None:
    agreed, other = 0, []
    for row in (corpora / file).read_text("utf-8").splitlines()[1:]:
        code, title = row.split("\t")[:2]
        match = known.lookup(title.removeprefix("Uspesifisert ").removesuffix(", ospecificerad"), "REACTION", language)
        if match and match.how == "form":
            same = any(c.code[:3] == code[:3] for c in match.term.concepts)
            agreed, other = agreed + same, other if same else [*other, (code, title)]
    assert agreed > 45
    assert other == []
