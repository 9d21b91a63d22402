"""The language of a note, restricted to the languages a site writes, abstaining when unsure; and the stretches in another one.

    guess = identifier(("fi", "sv", "en")).identify("Potilas tuli päivystykseen.")
    guess.language, guess.confidence          # ('fi', 1.0)

Two signals are added up: lingua's n-gram models (Stahl, lingua 2.1), which know whole languages, and the closed-class words
(`data/language_words.tsv`) by which Bokmål, Nynorsk and Danish differ where their n-grams hardly do. Sentences are too short to
be sure of, so documents are judged; a document that is one short line may well get no language.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fedkit.errors import ConfigurationError
from fedkit.notes.memory import Memory
from fedkit.notes.resources import read_table

if TYPE_CHECKING:
    import lingua

#: ISO 639-1 → the name of lingua's model.
_MODELS = {
    "nb": "BOKMAL",
    "nn": "NYNORSK",
    "sv": "SWEDISH",
    "da": "DANISH",
    "fi": "FINNISH",
    "et": "ESTONIAN",
    "en": "ENGLISH",
}
KNOWN = tuple(_MODELS)

#: The best language must be this much ahead of the second (shares of 1), or the answer is None. Chosen on names5 dev.
MARGIN = 0.2
#: What a telling word is worth, as a factor on the odds. Chosen on the dev notes of names5.
WORD_ODDS = 5.0
#: A language that so many telling words more speak for than for any other is taken without asking the models: on names5 dev, a
#: lead of three is always right, and it settles four notes in five.
LEAD = 3
#: So many characters are enough where they leave no doubt; where they do, up to `ALL` are looked at. More change nothing.
ENOUGH, ALL = 400, 1500
DOUBT = 0.9
#: A stretch in another language has at least so many words.
FOREIGN_WORDS = 4


@dataclass(frozen=True, slots=True)
class Guess:
    """language: ISO 639-1, or None where it is not clear.   confidence, margin: share of the best, and its lead; 0 to 1."""

    language: str | None
    confidence: float
    margin: float


@dataclass(frozen=True, slots=True)
class Foreign:
    """`text[start:end]` is in `language`, which is not the note's."""

    start: int
    end: int
    language: str


class LanguageIdentifier:
    """Tells the given languages apart. Loads lingua's models once a process (about 45 MB a language)."""

    def __init__(self, languages: Sequence[str] = KNOWN, margin: float = MARGIN) -> None:
        """languages: at least two of `KNOWN`.   Raises ConfigurationError for others."""
        self.languages = check_languages(languages)
        self.margin = margin
        self._votes = {
            row["word"]: tuple(name in row["languages"].split() for name in self.languages)
            for row in read_table("language_words.tsv")
        }
        self._seen = Memory(self._vote)
        self._of_home: dict[str, Memory[bool | None]] = {}

    def identify(self, text: str) -> Guess:
        """The language of a text, or None where the best is not `margin` ahead or the text holds no word."""
        scores = self._scores(text[:ENOUGH])
        if len(text) > ENOUGH and (scores is None or max(scores) < DOUBT):
            scores = self._scores(text[:ALL])
        if scores is None:
            return Guess(None, 0.0, 0.0)
        order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
        best, second = scores[order[0]], scores[order[1]]
        return Guess(self.languages[order[0]] if best - second >= self.margin else None, best, best - second)

    def foreign(self, text: str, parts: Sequence[tuple[int, int]], home: str) -> tuple[Foreign, ...]:
        """The parts (sentences, as a rule) that are surely in another language than `home`: Swedish in a Finnish note.

        Parts of fewer than `FOREIGN_WORDS` words are left: names of drugs and devices are no language. Only parts with more
        words that `home` does not write than words that it does are looked at closely.
        """
        if home not in self.languages:
            return ()
        sides = self._sides(home)
        found = []
        for start, end in parts:
            piece = text[start:end]
            words = piece.lower().split()
            if len(words) < FOREIGN_WORDS:
                continue
            votes = list(map(sides.__getitem__, words))
            against = votes.count(False)
            if against < 2 or against <= votes.count(True):
                continue
            guess = self.identify(piece)
            if guess.language not in (None, home):
                found.append(Foreign(start, end, str(guess.language)))
        return tuple(found)

    def _sides(self, home: str) -> Memory[bool | None]:
        """Whether a word, perhaps with a sign beside it, is one of the telling words, and one that `home` writes."""
        if home not in self._of_home:
            own = self.languages.index(home)

            def side(word: str) -> bool | None:
                vote = self._votes.get(word.strip('.,;:!?()"'))
                return None if vote is None else vote[own]

            self._of_home[home] = Memory(side)
        return self._of_home[home]

    def _vote(self, word: str) -> tuple[bool, ...] | None:
        """Which of the languages write this word, or else this ending; None where that tells nothing."""
        vote = self._votes.get(word)
        if vote is None and len(word) > _STEM:
            votes = self._votes.get
            vote = votes("-" + word[-5:]) or votes("-" + word[-4:]) or votes("-" + word[-3:]) or votes("-" + word[-2:])
        return vote

    def _scores(self, text: str) -> list[float] | None:
        """Shares of the languages, in order, adding up to 1; None for a text without a word."""
        words = _LETTERS.findall(text.lower())
        if not words:
            return None
        logs = [0.0] * len(self.languages)
        for vote, count in Counter(map(self._seen.__getitem__, words)).items():
            if vote is not None:
                for i, own in enumerate(vote):
                    if not own:
                        logs[i] -= _LOG_ODDS * count
        best, second = sorted(logs, reverse=True)[:2]
        if best - second < LEAD * _LOG_ODDS:
            detector, models = _detector(self.languages)
            shares = {value.language: value.value for value in detector.compute_language_confidence_values(text)}
            logs = [votes + math.log(shares.get(model, 0.0) + 1e-9) for votes, model in zip(logs, models, strict=True)]
        top = max(logs)
        powers = [math.exp(value - top) for value in logs]
        total = sum(powers)
        return [power / total for power in powers]


_LOG_ODDS = math.log(WORD_ODDS)
_STEM = 5  # a word of more letters may be known by its ending
_LETTERS = re.compile(r"[^\W\d_]+")


def check_languages(languages: Sequence[str]) -> tuple[str, ...]:
    """These languages, each once. Raises ConfigurationError unless they are two or more of `KNOWN`."""
    names = tuple(dict.fromkeys(languages))
    unknown = [name for name in names if name not in _MODELS]
    if unknown or len(names) < 2:
        raise ConfigurationError(
            "languages that cannot be told apart",
            expected=f"at least two of {', '.join(KNOWN)}",
            got=", ".join(unknown or names) or "none",
            help="name the languages that the site writes, and 'en' beside a single one",
        )
    return names


@cache
def identifier(languages: tuple[str, ...] = KNOWN, margin: float = MARGIN) -> LanguageIdentifier:
    """The identifier for these languages, one a process."""
    return LanguageIdentifier(languages, margin)


@cache
def _detector(languages: tuple[str, ...]) -> tuple[lingua.LanguageDetector, tuple[lingua.Language, ...]]:
    from lingua import Language, LanguageDetectorBuilder

    models = tuple(getattr(Language, _MODELS[name]) for name in languages)
    return LanguageDetectorBuilder.from_languages(*models).with_preloaded_language_models().build(), models
