"""Mock twins: notes of a site's shape and label set, and nothing else of it.

Forms are pseudo-words that carry a syllable no Nordic or Estonian word has, set into plain sentences of the site's language. So
a researcher can rehearse code on them, and no form of a private note can stand in them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from fedkit.notes.note import Note, Span

#: Carrier sentences by language; {} takes a labelled pseudo-word. They speak of entries, never of illness, people or places.
_SENTENCES: dict[str, tuple[str, ...]] = {
    "nb": (
        "Oppføring {n}: {} og deretter {}.",
        "Her er {} skrevet opp {n} ganger.",
        "Ikke {}, men {}.",
        "Uten funn i denne raden.",
        "Utfylt: {}, {}, {}.",
    ),
    "nn": (
        "Oppføring {n}: {} og deretter {}.",
        "Her er {} skrive opp {n} gonger.",
        "Ikkje {}, men {}.",
        "Utan funn i denne rada.",
        "Utfylt: {}, {}, {}.",
    ),
    "sv": (
        "Anteckning {n}: {} och sedan {}.",
        "Här har {} skrivits upp {n} gånger.",
        "Inte {}, utan {}.",
        "Utan fynd i denna rad.",
        "Ifyllt: {}, {}, {}.",
    ),
    "da": (
        "Notering {n}: {} og derefter {}.",
        "Her er {} skrevet op {n} gange.",
        "Ikke {}, men {}.",
        "Uden fund i denne række.",
        "Udfyldt: {}, {}, {}.",
    ),
    "fi": (
        "Merkintä {n}: {} ja sitten {}.",
        "Tähän on kirjattu {} yhteensä {n} kertaa.",
        "Ei {}, vaan {}.",
        "Tällä rivillä ei ole löydöstä.",
        "Täytetty: {}, {}, {}.",
    ),
    "et": (
        "Sissekanne {n}: {} ja seejärel {}.",
        "Siia on kirjutatud {} kokku {n} korda.",
        "Mitte {}, vaid {}.",
        "Selles reas leid puudub.",
        "Täidetud: {}, {}, {}.",
    ),
    "": (
        "Entry {n}: {} and then {}.",
        "Here {} was written {n} times.",
        "Not {}, but {}.",
        "Nothing in this row.",
        "Filled in: {}, {}, {}.",
    ),
}

_SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "ri", "so", "tu", "va", "ke", "pi", "mo", "ra", "le", "no", "ta")
#: No word of the workshop's languages holds one of these, so a pseudo-word cannot be a real form by chance.
_MARKS = ("qxa", "wqo", "xqi", "qwu", "xwe")
_MEMORY = 24  # pseudo-words a label is drawn from: few enough that they come back, as words do


def mock_twin(language: str, labels: Sequence[str], n: int, seed: int) -> tuple[Note, ...]:
    """`n` invented notes with spans of every label, in carrier sentences of a language (English for unknown ones).

    Equal arguments give equal notes. Raises ValueError for n < 1 or no label.
    """
    if n < 1 or not labels:
        raise ValueError("a mock twin needs at least one note and one label")
    names = sorted(set(labels))
    rng = random.Random(f"mock:{language}:{','.join(names)}:{seed}")
    words = {label: [_pseudo_word(rng) for _ in range(_MEMORY)] for label in names}
    sentences = _SENTENCES.get(language, _SENTENCES[""])
    queue: list[str] = []
    notes: list[Note] = []
    for number in range(n):
        text, spans = "", []
        for sentence in rng.sample(sentences, rng.randint(2, 4)):
            parts = sentence.replace("{n}", str(rng.randint(2, 99))).split("{}")
            text += (" " if text else "") + parts[0]
            for part in parts[1:]:
                if not queue:  # every label once before any comes again
                    queue = rng.sample(names, len(names))
                label = queue.pop()
                word = rng.choice(words[label])
                spans.append(Span(len(text), len(text) + len(word), label))
                text += word + part
        notes.append(Note(f"mock-{number + 1:04d}", text, language, tuple(spans), patient=f"mock-{number // 2 + 1:04d}"))
    return tuple(notes)


def _pseudo_word(rng: random.Random) -> str:
    syllables = rng.sample(_SYLLABLES, rng.randint(2, 4))
    syllables.insert(rng.randint(0, len(syllables)), rng.choice(_MARKS))
    word = "".join(syllables)
    return word.capitalize() if rng.random() < 0.3 else word
