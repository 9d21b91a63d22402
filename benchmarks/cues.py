"""The evidence for every cue of `fedkit/notes/data/context`: how often it fires in text that nobody on this project wrote.

    python benchmarks/cues.py            show it
    python benchmarks/cues.py --write    put it into the column `evidence`, and drop what negates and never fires

n=: times it fires in the text at hand (names5, UD dev, negation-nb, Swedish Wikipedia, English case reports); no list was made
from that text. A cue that negates is dropped if neither it nor another form of its word (like=) fires: more triggers made
precision worse. The others are kept with n=0, since these corpora hold little that is clinical ("tåler ikke", which keeps an
intolerance from being read as a negation).
ud=: of its words in UD dev, how many the treebank marks as negative (Polarity=Neg; the Danish one marks none).
gold=: of the mentions it negates in negation-nb, how many are negated there; mentions are the annotated ones and all names of
ICD-10 and ICPC-2.
past=: of a cue of history, in how many of its sentences in UD dev a finite verb stands in the past; cond=: of a cue of
hypothesis, in how many it opens an adverbial clause, or a verb stands in the conditional. The first lines printed say how often
a verb does so in any sentence: only what lies well above tells anything. It is grammar, and no gold: for uncertainty and family
there is not even that, and none of it says whether a mention is historical.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from text import CORPORA, Sentence, negation_gold, treebank

from fedkit.notes import context
from fedkit.notes.context import cues, fired

DATA = Path(context.__file__).parent / "data" / "context"
STEM = 4
NEEDED = ("negated", "corrective")
LANGUAGES = ("nb", "nn", "sv", "da", "fi", "et", "en")
NAMES5 = {"nb": "no", "sv": "sv", "da": "da", "fi": "fi", "et": "et"}


def running_text(language: str) -> Iterator[str]:
    """Sentences of a language, from every corpus that has any."""
    for split in ("train", "dev", "test"):
        if language in NAMES5:
            for line in (CORPORA / "names5" / NAMES5[language] / f"{split}.jsonl").read_text("utf-8").splitlines():
                yield json.loads(line)["text"]
    if language != "en":
        for paragraph in treebank(language):
            yield from (sentence.text for sentence in paragraph)
    if language == "nb":
        yield from (text for text, _, _ in negation_gold())
    more = {"sv": ["swedmedner/wiki-silver.train.jsonl"], "en": ["ade-v2/dev.jsonl", "phee/dev.jsonl", "psytar/dev.jsonl"]}
    for name in more.get(language, []):
        for line in (CORPORA / name).read_text("utf-8").splitlines():
            yield json.loads(line)["text"]


def evidence(language: str) -> dict[tuple[tuple[str, ...], str, str], str]:
    """(words, category, direction) of each cue that fires → its evidence."""
    fires: Counter[tuple[tuple[str, ...], str, str]] = Counter()
    for text in running_text(language):
        fires.update((c.words, c.category, c.direction) for _, _, c in fired(text, language))
    negative: Counter[tuple[str, ...]] = Counter()
    marked: Counter[tuple[str, ...]] = Counter()
    if language != "en":
        for paragraph in treebank(language):
            for sentence in paragraph:
                places = {t.start for t in sentence.tokens if "Polarity=Neg" in t.features}
                for start, end, cue in {
                    (a, b, c.words) for a, b, c in fired(sentence.text, language) if c.category == "negated"
                }:
                    marked[cue] += 1
                    negative[cue] += any(start <= place < end for place in places)
    grammar = _grammar(language) if language != "en" else {}
    right: Counter[tuple[str, ...]] = Counter()
    said: Counter[tuple[str, ...]] = Counter()
    if language == "nb":
        for text, mentions, gold in negation_gold():
            for scope in context.scopes(text, mentions, "nb", ((0, len(text)),)):
                if scope.category == "negated":
                    key = tuple(text[scope.cue_start : scope.cue_end].lower().split())
                    said[key] += len(scope.spans)
                    right[key] += sum(gold[place] for place in scope.spans)
    found = {}
    for key, count in fires.items():
        parts = [f"n={count}"]
        if negative[key[0]] and key[1] == "negated":
            parts.append(f"ud={negative[key[0]]}/{marked[key[0]]}")
        if said[key[0]] and key[1] == "negated":
            parts.append(f"gold={right[key[0]]}/{said[key[0]]}")
        if key in grammar:
            parts.append(grammar[key])
        found[key] = " ".join(parts)
    return found


_BY_GRAMMAR = {"historical": "past", "hypothetical": "cond"}


def _past(sentence: Sentence) -> bool:
    """Whether a verb of the sentence stands in the past."""
    return any("Tense=Past" in t.features and "VerbForm=Part" not in t.features for t in sentence.tokens)


def _conditional(sentence: Sentence, start: int, end: int) -> bool:
    """Whether a word from start to end opens an adverbial clause, or a verb of the sentence stands in the conditional."""
    kind = {t.columns[0]: t.columns[7].partition(":")[0] for t in sentence.tokens}
    opens = any(
        start <= t.start < end and t.columns[7] == "mark" and kind.get(t.columns[6]) == "advcl" for t in sentence.tokens
    )
    return opens or any("Mood=Cnd" in t.features for t in sentence.tokens)


def _grammar(language: str) -> dict[tuple[tuple[str, ...], str, str], str]:
    """(words, category, direction) of cues of history and hypothesis → what the trees of UD dev say of their sentences."""
    there: Counter[tuple[tuple[str, ...], str, str]] = Counter()
    so: Counter[tuple[tuple[str, ...], str, str]] = Counter()
    for paragraph in treebank(language):
        for sentence in paragraph:
            for start, end, cue in fired(sentence.text, language):
                if cue.category in _BY_GRAMMAR:
                    key = (cue.words, cue.category, cue.direction)
                    there[key] += 1
                    so[key] += _past(sentence) if cue.category == "historical" else _conditional(sentence, start, end)
    return {key: f"{_BY_GRAMMAR[key[1]]}={so[key]}/{count}" for key, count in there.items()}


def base_rates(language: str) -> dict[str, float]:
    """Share of all sentences of UD dev with a verb in the past, and with one in the conditional."""
    every = [sentence for paragraph in treebank(language) for sentence in paragraph]
    return {"past": sum(map(_past, every)) / len(every), "cond": sum(_conditional(s, 0, 0) for s in every) / len(every)}


def together(language: str, category: str) -> tuple[int, int]:
    """(so, there) over all cues of a category that the trees tell something about."""
    found = [proof.partition("=")[2].split("/") for key, proof in _grammar(language).items() if key[1] == category]
    return sum(int(so) for so, _ in found), sum(int(there) for _, there in found)


def alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two cues are forms of one word: "eitas" and "eitab"."""
    return len(one) == len(other) == 1 and one != other and len(one[0]) > STEM and one[0][:STEM] == other[0][:STEM]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the column, drop what never fires")
    options = parser.parse_args()
    for language in LANGUAGES[:-1]:
        rates = base_rates(language)
        for category, name in _BY_GRAMMAR.items():
            so, there = together(language, category)
            print(f"{language}: {name} in {so} of {there} sentences with a {category} cue; in any sentence {rates[name]:.2f}")
    for language in LANGUAGES:
        found = evidence(language)
        rows = []
        for cue in cues(language):
            kin = next((words for words, category, _ in found if category == cue.category and alike(words, cue.words)), None)
            proof = found.get((cue.words, cue.category, cue.direction), f"n=0 like={kin[0]}" if kin else "n=0")
            rows.append((" ".join(cue.words), cue.category, cue.direction, cue.source, proof))
        silent = [row for row in rows if row[-1].startswith("n=0")]
        kept = [row for row in rows if row[-1] != "n=0" or row[1] not in NEEDED]
        print(
            f"{language}: {len(rows) - len(silent)} of {len(rows)} cues fire; not: {', '.join(r[0] for r in silent) or 'none'}"
        )
        if options.write:
            lines = ["cue\tcategory\tdirection\tsource\tevidence", *("\t".join(row) for row in kept)]
            (DATA / f"{language}.tsv").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
