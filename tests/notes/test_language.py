"""Language: right on documents, None where unsure, restricted to the site's; and what is marked as being in another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedkit.errors import ConfigurationError
from fedkit.notes.language import KNOWN, LanguageIdentifier, identifier
from fedkit.notes.sentences import sentences

NOTES = {
    "nb": "Pasienten ble innlagt etter et fall hjemme. Hun har ikke hatt feber, og hun bruker Marevan fast.",
    "nn": "Pasienten vart innlagd etter eit fall heime. Ho har ikkje hatt feber, og ho brukar Marevan fast.",
    "sv": "Patienten lades in efter ett fall i hemmet. Hon har inte haft feber och äter Waran varje dag.",
    "da": "Patienten blev indlagt efter et fald i hjemmet. Hun har ikke haft feber og tager Marevan dagligt.",
    "fi": "Potilas otettiin osastolle kotona kaatumisen jälkeen. Hänellä ei ole ollut kuumetta.",
    "et": "Patsient hospitaliseeriti pärast kodus kukkumist. Tal ei ole olnud palavikku ega köha.",
    "en": "The patient was admitted after a fall at home. She has not had any fever and takes warfarin.",
}


@pytest.mark.parametrize("language", KNOWN)
def test_a_short_note_of_each_language(language: str) -> None:
    guess = identifier().identify(NOTES[language])
    assert guess.language == language
    assert 0 <= guess.margin <= guess.confidence <= 1


@pytest.mark.parametrize("text", ["", "  \n", "123 456", "?!", "\x00", "BT 140/80", "Marevan 2,5 mg x 1"])
def test_no_language_without_words_that_tell_one(text: str) -> None:
    assert identifier(margin=0.6).identify(text).language is None


def test_a_wider_margin_abstains_more_often_and_never_changes_the_answer() -> None:
    texts = [text[:n] for text in NOTES.values() for n in (12, 25, 50)]
    narrow, wide = LanguageIdentifier(margin=0.0), LanguageIdentifier(margin=0.9)
    answers = [(narrow.identify(t).language, wide.identify(t).language) for t in texts]
    assert all(second in (None, first) for first, second in answers)
    assert 0 < sum(second is None for _, second in answers) < len(answers)


def test_only_the_languages_of_the_site_are_answered() -> None:
    site = identifier(("fi", "sv", "en"))
    assert {site.identify(text).language for text in NOTES.values()} <= {"fi", "sv", "en", None}


@pytest.mark.parametrize("languages", [(), ("nb",), ("nb", "nb"), ("nb", "xx")])
def test_languages_that_cannot_be_told_apart_are_refused(languages: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as error:
        LanguageIdentifier(languages)
    assert error.value.expected
    assert error.value.help


@pytest.mark.parametrize(("home", "guest"), [("fi", "sv"), ("nb", "en"), ("sv", "fi"), ("et", "en"), ("da", "en")])
def test_a_sentence_in_another_language_is_marked(home: str, guest: str) -> None:
    text = f"{NOTES[home]} {NOTES[guest]} {NOTES[home]}"
    found = identifier().foreign(text, sentences(text, home), home)
    begin, end = text.index(NOTES[guest]), text.index(NOTES[guest]) + len(NOTES[guest])
    assert {f.language for f in found} == {guest}
    assert all(begin <= f.start < f.end <= end for f in found)


def test_names_of_devices_and_drugs_are_no_language() -> None:
    text = "Fikk innsatt Medtronic Azure XT DR. Bruker Marevan og Albyl-E. Fikk Zimmer Biomet Taperloc Complete."
    assert not identifier().foreign(text, sentences(text, "nb"), "nb")


def test_nothing_is_foreign_where_the_home_is_unknown() -> None:
    assert not identifier().foreign(NOTES["en"], [(0, len(NOTES["en"]))], "xx")


@pytest.mark.corpora
def test_three_sentence_documents(corpora: Path) -> None:
    import text

    found = text.language_accuracy("test")
    assert found["documents"] > 3000
    assert found["accuracy"] >= 0.99
    assert min(found["of_site"].values()) >= 0.98


@pytest.mark.corpora
def test_few_sentences_of_a_treebank_are_taken_for_foreign(corpora: Path) -> None:
    """Of Norwegian, Finnish and Estonian news, not one sentence in five hundred."""
    import text

    for language in ("nb", "fi", "et"):
        every = [s.text for paragraph in text.treebank(language) for s in paragraph]
        marked = sum(bool(identifier().foreign(one, [(0, len(one))], language)) for one in every)
        assert marked <= len(every) / 500, language
