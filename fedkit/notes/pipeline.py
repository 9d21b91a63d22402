"""The whole reading of a note, step by step, by the same numbers in the code, the notebook and docs/text-pipeline.md.

    pipeline = Pipeline()
    note = pipeline(Note("1", "Aktuelt: Ingen feber. Fikk Marevan av dr. Hansen.", ""))
    note.language, [(note.text_of(s), s.label, dict(s.attributes)) for s in note.spans]

Every step takes a note and gives one back, with the same text. What a note brings along stays: its own language, sections,
sentences and spans are used as they are, and the steps add to them. (De-identified text is another note with other offsets: see
`fedkit.notes.deidentify`. Here identifiers are marked and nothing is changed.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files

from fedkit.digests import digest, digest_bytes
from fedkit.errors import ConfigurationError
from fedkit.notes.abbreviations import expand
from fedkit.notes.concepts import Normaliser
from fedkit.notes.context import with_context
from fedkit.notes.deidentify.find import find_identifiers
from fedkit.notes.language import KNOWN, check_languages, identifier
from fedkit.notes.note import Note, Span
from fedkit.notes.sections import sections
from fedkit.notes.sentences import sentences

#: Labels of the spans that the steps add, beside those of the vocabulary.
ABBREVIATION, FOREIGN, IDENTIFIER = "ABBREVIATION", "FOREIGN", "IDENTIFIER"


@dataclass(frozen=True, slots=True)
class Settings:
    """languages: those of the site, of which step 1 chooses.   steps: names of `STEPS`, run in the order of `STEPS`.

    Raises ConfigurationError for steps that do not exist, and for languages that cannot be told apart.
    """

    languages: tuple[str, ...] = KNOWN
    steps: tuple[str, ...] = ("language", "sections", "sentences", "concepts", "context", "abbreviations", "identifiers")

    def __post_init__(self) -> None:
        unknown = [name for name in self.steps if name not in STEPS]
        if unknown or not self.steps:
            raise ConfigurationError(
                "no such step of the text pipeline", expected=", ".join(STEPS), got=", ".join(unknown) or "none"
            )
        check_languages(self.languages)

    @property
    def print(self) -> str:
        """A digest that changes with the settings and with the word lists and rules that the steps use."""
        return digest({"settings": _plain(self), "lists": _lists()})


class Pipeline:
    """All steps over a note. Loads models and vocabularies at the first note, once a process.

    vocabulary: the normaliser of step 4; fedkit's own words if None.
    """

    def __init__(self, settings: Settings | None = None, vocabulary: Normaliser | None = None) -> None:
        self.settings = settings or Settings()
        self.vocabulary = vocabulary or _own_vocabulary()
        self.steps = [step for name, step in STEPS.items() if name in self.settings.steps]

    def __call__(self, note: Note) -> Note:
        """The note with everything that the steps found. Its text and its id stay."""
        for step in self.steps:
            note = step(self, note)
        return note

    # 1. Language: what the source says; else of the document, restricted to the site's, and "" where it is not clear.
    def language(self, note: Note) -> Note:
        if note.language == "no":  # Bokmål or Nynorsk, as many sources say it
            return replace(note, language=identifier(("nb", "nn")).identify(note.text).language or "nb")
        if note.language:
            return note
        return replace(note, language=identifier(self.settings.languages).identify(note.text).language or "")

    # 2. Sections, by their headings.
    def sections(self, note: Note) -> Note:
        return note if note.sections else replace(note, sections=sections(note.text, note.language))

    # 3. Sentences; and which of them are in another language.
    def sentences(self, note: Note) -> Note:
        found = note.sentences or sentences(note.text, note.language)
        note = replace(note, sentences=found)
        if len(found) < 2 or not note.language:
            return note
        foreign = identifier(self.settings.languages).foreign(note.text, found, note.language)
        return _with(note, [Span(f.start, f.end, FOREIGN, {"language": f.language}) for f in foreign])

    # 4. Concepts: drugs, reactions, implants, parts of the body, with their codes.
    def concepts(self, note: Note) -> Note:
        return self.vocabulary.annotate(note)

    # 5. Context: what is negated, uncertain, historical, hypothetical or of the family.
    def context(self, note: Note) -> Note:
        return with_context(note)

    # 6. Abbreviations, in full.
    def abbreviations(self, note: Note) -> Note:
        found = expand(note.text, note.language)
        return _with(note, [Span(a.start, a.end, ABBREVIATION, {"expansion": a.expansion}) for a in found])

    # 7. Identifiers: what may name a person, by class.
    def identifiers(self, note: Note) -> Note:
        found = find_identifiers(note.text, note.language)
        return _with(note, [Span(i.start, i.end, IDENTIFIER, {"class": i.label, "rule": i.rule}) for i in found])


#: Name → step, in the order in which they run.
STEPS: dict[str, Callable[[Pipeline, Note], Note]] = {
    "language": Pipeline.language,
    "sections": Pipeline.sections,
    "sentences": Pipeline.sentences,
    "concepts": Pipeline.concepts,
    "context": Pipeline.context,
    "abbreviations": Pipeline.abbreviations,
    "identifiers": Pipeline.identifiers,
}


def _with(note: Note, spans: list[Span]) -> Note:
    """The note with these spans as well, but for those that it has already."""
    if not spans:
        return note
    known = {(s.start, s.end, s.label) for s in note.spans}
    new = [s for s in spans if (s.start, s.end, s.label) not in known]
    return note.with_spans((*note.spans, *new), note.relations) if new else note


def _plain(settings: Settings) -> dict[str, list[str]]:
    return {name: list(value) for name, value in asdict(settings).items()}


_NO_RULES = frozenset({"__pycache__", "readers", "writers", "synthetic"})


@cache
def _own_vocabulary() -> Normaliser:
    return Normaliser()


@cache
def _lists() -> str:
    """A digest of the word lists and modules of `fedkit.notes` that a step may use: other rules are another pipeline."""
    found = {}
    todo = [("", files("fedkit.notes"))]
    while todo:
        path, folder = todo.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                if entry.name not in _NO_RULES:
                    todo.append((f"{path}{entry.name}/", entry))
            elif not entry.name.endswith(".pyc"):
                found[path + entry.name] = digest_bytes(entry.read_bytes())
    return digest(found)
