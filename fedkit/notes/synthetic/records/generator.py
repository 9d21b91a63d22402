"""Records by seed: courses, and the notes that tell them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fedkit.notes.corpus import Corpus, SiteNotes, build_corpus
from fedkit.notes.mock import mock_twin
from fedkit.notes.note import CLINICAL_LABELS, Note, Relation, Span
from fedkit.notes.synthetic.generator import DEFAULT_SEED, MOCK_NOTES, SITES
from fedkit.notes.synthetic.records.course import Course, Encounter, draw_course
from fedkit.notes.synthetic.records.style import styled
from fedkit.notes.synthetic.records.writing import Memory, Told, tell
from fedkit.notes.synthetic.render import Patient
from fedkit.notes.synthetic.templates import pool

#: The languages of the five sites.
RECORD_LANGUAGES = tuple(site.language for site in SITES)

#: Kind of encounter → author's role, department, type of note.
_FORMS = {
    "surgery": ("surgeon", "surgery", "operation note"),
    "outpatient": ("physician", "outpatient clinic", "outpatient note"),
    "medication list": ("pharmacist", "ward", "medication list"),
    "admission": ("physician", "emergency department", "admission note"),
    "nursing": ("nurse", "ward", "nursing note"),
    "radiology referral": ("physician", "ward", "radiology referral"),
    "discharge": ("physician", "ward", "discharge summary"),
}

#: Slot of a drug → slots of what it does.
_CAUSED = {("DRUG", ""): (("REACTION", ""), ("REACTION", "2")), ("DRUG", "6"): (("REACTION", "4"),)}
DEFAULT_PATIENTS = 60
_PARTS = {"MANUFACTURER": "manufacturer", "MODEL": "model", "BODY_SITE": "body_site"}


@dataclass(frozen=True)
class Record:
    """A patient's course and the notes that tell it, in order of time."""

    course: Course
    notes: tuple[Note, ...]


def make_records(
    language: str, split: str, patients: int, seed: int = DEFAULT_SEED, site: str | None = None
) -> Iterator[Record]:
    """Records of invented patients, one after the other, so that any number of them takes no memory.

    language: one of `RECORD_LANGUAGES`.   split: "train", "dev" or "test"; they share no template, patient or form.
    site: stands in the ids; default: the site of the language.
    Every patient has a random stream of their own: more patients begin with the same ones. Raises ValueError for an unknown
    language or split.
    """
    if language not in RECORD_LANGUAGES or split not in ("train", "dev", "test"):
        raise ValueError(f"records are made in {', '.join(RECORD_LANGUAGES)} for train, dev and test, not {language} {split}")
    return _records(language, split, patients, seed, site or next(s.name for s in SITES if s.language == language))


def _records(language: str, split: str, patients: int, seed: int, site: str) -> Iterator[Record]:
    for number in range(patients):
        rng = random.Random(f"record:{seed}:{site}:{language}:{split}:{number}")
        patient = Patient(f"{site}-{split}-r{number + 1:05d}", language, rng.choice(("female", "male")), rng.randint(24, 88))
        course = draw_course(patient, split, rng)
        memory = Memory()
        yield Record(course, tuple(_note(course, i, e, memory, rng) for i, e in enumerate(course.encounters)))


def synthesise_records(
    languages: Sequence[str] = RECORD_LANGUAGES,
    patients_per_site: int | Mapping[str, int] = DEFAULT_PATIENTS,
    seed: int = DEFAULT_SEED,
    splits: Mapping[str, int] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Corpus:
    """A corpus of records, a site per language, with a mock twin each.

    languages: of `RECORD_LANGUAGES`, or names of sites.   patients_per_site: of the training split, for all or by site.
    splits: patients of "dev" and "test" at every site; default 10 and 20.
    progress: called with the site's name and the number of notes of each record made.

    Equal arguments give equal corpora. Raises ValueError for an unknown language or a number below one.
    """
    known = {key: site for site in SITES for key in (site.name, site.language)}
    unknown = [name for name in languages if name not in known]
    if unknown or not languages:
        raise ValueError(f"unknown site {', '.join(unknown) or 'list'}: known are {', '.join(s.name for s in SITES)}")
    made = []
    for site in dict.fromkeys(known[name] for name in languages):
        many = patients_per_site if isinstance(patients_per_site, int) else patients_per_site.get(site.name, DEFAULT_PATIENTS)
        sizes = {"train": many, "dev": 10, "test": 20, **(splits or {})}
        if min(sizes.values()) < 1:
            raise ValueError(f"site {site.name}: at least one patient in every split")
        notes: dict[str, list[Note]] = {}
        for split in ("train", "dev", "test"):
            notes[split] = []
            for record in make_records(site.language, split, sizes[split], seed, site.name):
                notes[split] += record.notes
                if progress:
                    progress(site.name, len(record.notes))
        mock = mock_twin(site.language, CLINICAL_LABELS, MOCK_NOTES, seed)
        found = {split: tuple(n) for split, n in notes.items()}
        made.append(SiteNotes(site.name, site.title, site.language, found["train"], found["dev"], found["test"], mock))
    return build_corpus(made)


def _note(course: Course, number: int, encounter: Encounter, memory: Memory, rng: random.Random) -> Note:
    language = course.patient.language
    chosen = [rng.choice(pool(language, section, course.split, "records")) for section in encounter.sections]
    told = tell(chosen, course, encounter.day, memory, rng)
    author, department, kind = _FORMS[encounter.kind]
    note = Note(
        f"{course.patient.id}-{number + 1:02d}",
        told.text,
        language,
        tuple(_dated(told, i, course) for i in range(len(told.spans))),
        patient=course.patient.id,
        meta={"kind": encounter.kind, "templates": " ".join(t.name for t in chosen)},
        date=encounter.day.isoformat(),
        author_role=author,
        department=department,
        type=kind,
        sections=told.sections,
        relations=tuple(_relations(told, course, encounter)),
    )
    return styled(note, encounter.kind, rng)


def _dated(told: Told, place: int, course: Course) -> Span:
    """The span, an implant with the days on which it came and went."""
    span, (label, index) = told.spans[place], told.roles[place]
    devices = dict(zip(("", "2"), course.devices, strict=False))
    if label != "IMPLANT" or index not in devices:
        return span
    device = devices[index]
    attributes = {**span.attributes, "implanted": device.implanted.isoformat()}
    if span.attributes.get("status") == "removed" and device.removed:
        attributes["removed"] = device.removed.isoformat()
    return replace(span, attributes=attributes)


def _relations(told: Told, course: Course, encounter: Encounter) -> Iterator[Relation]:
    """What belongs together, within a section, each pair once: a drug and its effects, a device and what is told of it."""
    seen: set[tuple[int, tuple[str, str]]] = set()
    places: dict[tuple[int, tuple[str, str]], int] = {}
    for place, role in enumerate(told.roles):
        key = (told.section_of[place], role)
        if key not in seen:
            seen.add(key)
            places[key] = place
    ended = any(s in ("good", "bad", "kept") for s in encounter.sections)
    for (section, role), head in places.items():
        if role in _CAUSED:
            for effect in _CAUSED[role]:
                tail = places.get((section, effect))
                if tail is not None:
                    yield Relation(head, tail, "adverse_effect", _reaction_facts(course, effect, ended))
        if role[0] == "IMPLANT":
            for label, name in _PARTS.items():
                tail = places.get((section, (label, role[1])))
                if tail is not None:
                    yield Relation(head, tail, name)


def _reaction_facts(course: Course, effect: tuple[str, str], ended: bool) -> dict[str, str]:
    facts = {"seriousness": course.cast[effect].group}
    if effect == ("REACTION", "") and ended:
        facts |= {"outcome": course.reaction.outcome, "dechallenge": course.reaction.dechallenge}
    return facts
