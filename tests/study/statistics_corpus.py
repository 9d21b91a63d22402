"""Persons and their notes at five sites, with everything that a statistic asks about known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from fedkit.notes.corpus import SiteNotes, build_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.notes.note import Note
from fedkit.notes.span import Span

SITES = {"no": "nb", "sv": "sv", "da": "da", "fi": "fi", "et": "et"}

_FIRST = date(2020, 1, 1)


@dataclass(frozen=True)
class People:
    """All persons, an array item each. implant: whether any note of theirs mentions one; on which day after the first note,
    -1 for never.   seen: days from the first note to the last."""

    site: np.ndarray
    male: np.ndarray
    birth_year: np.ndarray
    notes: np.ndarray
    implant: np.ndarray
    day: np.ndarray
    seen: np.ndarray


def write(folder: Path, persons: int, seed: int = 7) -> People:
    """Write the corpus; `persons` at each site, one to four notes each."""
    draw = np.random.default_rng(seed)
    total = persons * len(SITES)
    male = draw.integers(0, 2, total)
    birth = draw.integers(1930, 2001, total)
    chance = 1 / (1 + np.exp(-(0.6 * male - 0.02 * (birth - 1960))))
    implant = draw.random(total) < chance
    count = draw.integers(1, 5, total)
    day, seen = np.full(total, -1), np.zeros(total, dtype=int)
    made: dict[str, list[Note]] = {site: [] for site in SITES}
    for person in range(total):
        site, language = list(SITES.items())[person % len(SITES)]
        start = _FIRST + timedelta(days=int(draw.integers(0, 300)))
        days = [0, *sorted(int(d) for d in draw.choice(np.arange(1, 700), count[person] - 1, replace=False))]
        seen[person] = days[-1]
        which = int(draw.integers(0, count[person])) if implant[person] else -1
        for number, after in enumerate(days):
            text, spans = "Kontroll i dag.", ()
            if number == which:
                text, spans = "Kontroll av Quxolan.", (Span(12, 19, "IMPLANT"),)
                day[person] = after
            made[site].append(
                Note(
                    f"{site}-{person}-{number}",
                    text,
                    language,
                    spans,
                    patient=f"p{person}",
                    date=(start + timedelta(days=after)).isoformat(),
                    meta={"sex": "male" if male[person] else "female", "year_of_birth": str(birth[person])},
                )
            )
    sites = []
    for site, language in SITES.items():
        notes = tuple(made[site])
        sites.append(SiteNotes(site, site.upper(), language, notes[:-20], notes[-20:-10], notes[-10:], ()))
    write_corpus(build_corpus(sites), folder)
    return People(np.arange(total) % len(SITES), male, birth, count, implant, day, seen)
