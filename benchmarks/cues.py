"""The evidence for every cue of `fedkit/notes/data/context`: how often it fires in text that nobody on this project wrote.

    python benchmarks/cues.py            show it
    python benchmarks/cues.py --write    put it into the column `evidence`, and drop what negates and never fires

n=: times it fires in the text at hand (names5, UD dev, negation-nb, Swedish Wikipedia, English case reports); no list was made
from that text. A cue that negates is dropped if neither it nor another form of its word (like=) fires: more triggers made
precision worse. The others are kept with n=0, since these corpora hold little that is clinical ("tåler ikke", which keeps an
intolerance from being read as a negation).
ud=: of its words in UD dev, how many the treebank marks as negative (Polarity=Neg; the Danish one marks none).
gold=: of the mentions it negates in negation-nb, how many are negated there; mentions are the annotated ones and all names of
ICD-10 and ICPC-2.   For uncertainty, history, family and hypothesis no gold exists in these languages: n is all there is.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from text import CORPORA, negation_gold, treebank

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
        found[key] = " ".join(parts)
    return found


def alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two cues are forms of one word: "eitas" and "eitab"."""
    return len(one) == len(other) == 1 and one != other and len(one[0]) > STEM and one[0][:STEM] == other[0][:STEM]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the column, drop what never fires")
    options = parser.parse_args()
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
