"""Synthetic clinical notes with spans, by seed: the corpus of the lessons, and any amount more.

    corpus = synthesise(notes_per_site={"no": 600, "fi": 120}, languages=("no", "fi"), seed=1)

Every note has a random stream of its own, so a larger corpus begins with the notes of a smaller one. Persons are invented, and
so are their pseudonymous ids; no note has a calendar date. What a drug does to somebody is drawn by lot: the notes teach how to
find words, not pharmacology.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fedkit.notes.corpus import Corpus, SiteNotes, build_corpus
from fedkit.notes.mock import mock_twin
from fedkit.notes.note import CLINICAL_LABELS, Note
from fedkit.notes.synthetic.render import Patient, render
from fedkit.notes.synthetic.templates import KINDS, pool


@dataclass(frozen=True)
class SampleSite:
    """A site of the sample federation. The hospital is invented. `also`: a second language, and of how many patients in 100."""

    name: str
    title: str
    language: str
    training_notes: int
    also: tuple[str, int] = ("", 0)


#: The workshop's five sites, skewed in size as real ones are.
SITES = (
    SampleSite("no", "Fjordvik sykehus", "nb", 600, ("nn", 12)),
    SampleSite("sv", "Lindvallens sjukhus", "sv", 500),
    SampleSite("da", "Bøgelund Hospital", "da", 300),
    SampleSite("fi", "Koivurannan sairaala", "fi", 160),
    SampleSite("et", "Metsaoja haigla", "et", 120),
)
DEFAULT_SEED = 2026
HELD_OUT: Mapping[str, int] = {"dev": 60, "test": 120}
MOCK_NOTES = 40

_NOTES_PER_PATIENT = 2
_DRAWS = 20  # draws before a note is allowed to be the twin of an earlier one


def synthesise(
    languages: Sequence[str] = tuple(s.name for s in SITES),
    notes_per_site: int | Mapping[str, int] | None = None,
    seed: int = DEFAULT_SEED,
    splits: Mapping[str, int] = HELD_OUT,
    progress: Callable[[str, int], None] | None = None,
) -> Corpus:
    """A corpus of synthetic notes.

    languages: names of `SITES` (no, sv, da, fi, et; nb is no), in the order wanted.
    notes_per_site: training notes, for all or by name; None for the skewed sizes of the sample federation.
    splits: how many notes "dev" and "test" have at every site.
    progress: called with the site's name and 1 for each note made.

    Equal arguments give equal corpora. Raises ValueError for an unknown site or a number below one.
    """
    known = {key: site for site in SITES for key in (site.name, site.language)}
    unknown = [name for name in languages if name not in known]
    if unknown or not languages:
        raise ValueError(f"unknown site {', '.join(unknown) or 'list'}: known are {', '.join(s.name for s in SITES)}")
    chosen = list(dict.fromkeys(known[name] for name in languages))
    made: list[SiteNotes] = []
    for site in chosen:
        training = notes_per_site
        if isinstance(training, Mapping):
            training = training.get(site.name, site.training_notes)
        sizes = {
            "train": site.training_notes if training is None else training,
            **{k: splits.get(k, HELD_OUT[k]) for k in HELD_OUT},
        }
        if min(sizes.values()) < 1:
            raise ValueError(f"site {site.name}: at least one note in every split")
        notes = {split: tuple(_notes(site, split, n, seed, progress)) for split, n in sizes.items()}
        mock = mock_twin(site.language, CLINICAL_LABELS, MOCK_NOTES, seed)
        made.append(SiteNotes(site.name, site.title, site.language, notes["train"], notes["dev"], notes["test"], mock))
    return build_corpus(made)


def _notes(site: SampleSite, split: str, n: int, seed: int, progress: Callable[[str, int], None] | None) -> Iterable[Note]:
    seen: set[str] = set()
    for number in range(n):
        patient = _patient(site, split, number // _NOTES_PER_PATIENT, seed)
        rng = random.Random(f"note:{seed}:{site.name}:{split}:{number}")
        for _ in range(_DRAWS):
            note = _note(f"{site.name}-{split}-{number + 1:05d}", patient, split, rng)
            if note.text not in seen:
                break
        seen.add(note.text)
        if progress:
            progress(site.name, 1)
        yield note


def _patient(site: SampleSite, split: str, number: int, seed: int) -> Patient:
    rng = random.Random(f"patient:{seed}:{site.name}:{split}:{number}")
    language = site.also[0] if rng.randrange(100) < site.also[1] else site.language
    # The split's name stands in the id: nobody is in two splits.
    return Patient(f"{site.name}-{split}-p{number + 1:04d}", language, rng.choice(("female", "male")), rng.randint(19, 88))


def _note(name: str, patient: Patient, split: str, rng: random.Random) -> Note:
    kind = rng.choice(tuple(KINDS))
    sections = [s.strip("()") for s in KINDS[kind] if not s.startswith("(") or rng.random() < 0.5]
    chosen = [rng.choice(pool(patient.language, section, split)) for section in sections]
    text, spans = render([t.text for t in chosen], patient, split, rng)
    meta = {"kind": kind, "templates": " ".join(t.name for t in chosen)}
    return Note(name, text, patient.language, spans, patient=patient.id, meta=meta)
