"""How well fedkit reads text: language, tokens, sentences and negation, on corpora that nobody on this project wrote.

    python benchmarks/text.py            the figures, a table a language; JSON in the last line

Nothing here is trained. Rules and thresholds were chosen on names5 dev, UD dev and the half of the Norwegian negation corpus
that is at hand. Language is reported on names5 test; the others have no other part here, so they are no held-out figures.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from measured import ROOT

from fedkit.notes.context import context_of
from fedkit.notes.language import identifier
from fedkit.notes.note import LANGUAGES, Span
from fedkit.notes.sentences import sentences
from fedkit.notes.tokens import words

CORPORA = Path(os.environ.get("CORPORA", ROOT.parent / "shared" / "corpora"))
SITES = ("no", "sv", "da", "fi", "et")


@dataclass(frozen=True, slots=True)
class Token:
    start: int
    end: int
    features: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    tokens: tuple[Token, ...]


# --- language ------------------------------------------------------------------------------------------------------------


def three_sentence_documents(split: str) -> Iterator[tuple[str, str, str]]:
    """(site, language, text): three sentences that follow each other in a corpus, of one document where documents are named."""
    for site in SITES:
        held: list[tuple[Any, str]] = []
        for line in (CORPORA / "names5" / site / f"{split}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            key = (row["lang"], row.get("doc"))
            if held and held[0][0] != key:
                held = []
            held.append((key, row["text"]))
            if len(held) == 3:
                yield site, row["lang"], " ".join(text for _, text in held)
                held = []


def language_accuracy(split: str = "test") -> dict[str, Any]:
    """Share of documents whose language is right, all six and English possible; an abstention counts as wrong."""
    judge = identifier()
    right: dict[str, list[bool]] = {}
    abstained = 0
    for site, language, text in three_sentence_documents(split):
        guess = judge.identify(text)
        abstained += guess.language is None
        right.setdefault(site, []).append(guess.language == language)
    every = [one for of_site in right.values() for one in of_site]
    return {
        "accuracy": sum(every) / len(every),
        "documents": len(every),
        "abstained": abstained,
        "of_site": {site: sum(of_site) / len(of_site) for site, of_site in right.items()},
    }


def foreign_scores() -> dict[str, Any]:
    """Sentences of another language that are marked in a note of a site's own, and sentences of its own that are."""

    def marked(texts: list[str], languages: tuple[str, ...], home: str) -> int:
        judge = identifier(languages)
        return sum(bool(judge.foreign(text, [(0, len(text))], home)) for text in texts)

    own = {name: [s.text for paragraph in treebank(name) for s in paragraph] for name in LANGUAGES}
    english = [json.loads(line)["text"] for line in (CORPORA / "ade-v2" / "dev.jsonl").read_text("utf-8").splitlines()]
    every = (*LANGUAGES, "en")
    return {
        "swedish_in_finnish": marked(own["sv"], ("fi", "sv", "en"), "fi") / len(own["sv"]),
        "english_in_bokmal": marked(english, ("nb", "nn", "en"), "nb") / len(english),
        "own_marked": sum(marked(own[name], every, name) for name in LANGUAGES) / sum(map(len, own.values())),
    }


# --- tokens and sentences ------------------------------------------------------------------------------------------------


@cache
def treebank(language: str) -> tuple[tuple[Sentence, ...], ...]:
    """The sentences of a UD dev set, a tuple a paragraph (or a document, where paragraphs are not marked)."""
    paragraphs: list[list[Sentence]] = [[]]
    text, rows, document = "", [], None
    for line in [*(CORPORA / "ud" / f"{language}.dev.conllu").read_text("utf-8").splitlines(), ""]:
        if line.startswith(("# newpar", "# newdoc")):
            paragraphs.append([])
        elif line.startswith("# sent_id"):
            name = line.partition("=")[2].strip()
            # Finnish and Estonian mark no paragraphs; the name of the document stands in the id.
            now = {"fi": name.rpartition(".")[0], "et": name.rpartition("_")[0]}.get(language)
            if now != document:
                paragraphs.append([])
            document = now
        elif line.startswith("# text ="):
            text = line.partition("= ")[2]
        elif line and line[0].isdigit():
            rows.append(line.split("\t"))
        elif not line and rows:
            paragraphs[-1].append(Sentence(text, tuple(_aligned(text, rows))))
            rows = []
    return tuple(tuple(p) for p in paragraphs if p)


def _aligned(text: str, rows: list[list[str]]) -> Iterator[Token]:
    """The surface tokens: of a multiword token the whole, not its parts."""
    at, inside = 0, 0
    for columns in rows:
        number = columns[0]
        if "." in number or (number.isdigit() and int(number) <= inside):
            continue
        if "-" in number:
            inside = int(number.partition("-")[2])
        start = text.index(columns[1], at)
        at = start + len(columns[1])
        yield Token(start, at, columns[5], tuple(columns))


def token_scores() -> dict[str, float]:
    """F1 of exact token ranges against UD, a language."""
    scores = {}
    for language in LANGUAGES:
        right = said = gold = 0
        for paragraph in treebank(language):
            for sentence in paragraph:
                theirs, ours = {(t.start, t.end) for t in sentence.tokens}, set(words(sentence.text, language))
                right, said, gold = right + len(theirs & ours), said + len(ours), gold + len(theirs)
        scores[language] = 2 * right / (said + gold)
    return scores


def sentence_scores() -> dict[str, float]:
    """F1 of exact sentence ranges against UD: sentences joined by a blank, paragraphs by an empty line."""
    scores = {}
    for language in LANGUAGES:
        text, gold = "", set()
        for paragraph in treebank(language):
            text += "\n\n" if text else ""
            for i, sentence in enumerate(paragraph):
                text += " " if i else ""
                gold.add((len(text), len(text) + len(sentence.text)))
                text += sentence.text
        ours = set(sentences(text, language))
        scores[language] = 2 * len(gold & ours) / (len(gold) + len(ours))
    return scores


# --- negation ------------------------------------------------------------------------------------------------------------


@cache
def negation_gold() -> tuple[tuple[str, tuple[Span, ...], tuple[bool, ...]], ...]:
    """(sentence, mentions, which of them are negated) of the Norwegian gold corpus.

    The corpus marks what is negated and nothing else. So that precision means something, every name of ICD-10 and ICPC-2 that
    stands in a sentence is a mention too, and one that is not negated.
    """
    names = {
        tuple(name[a:b] for a, b in words(name, "nb"))
        for file in ("icd10_nb.tsv", "icpc2_nb.tsv")
        for line in (CORPORA / "lex-nb-diagnoses" / file).read_text("utf-8").splitlines()[1:]
        if len(name := line.partition("\t")[2].strip().lower()) > 3
    }
    found = []
    marked: set[tuple[str, ...]] = set()
    rows = []
    for line in (CORPORA / "negation-nb" / "gold.txt").read_text("utf-8").splitlines():
        text, spans = "", []
        for part in re.split(r"(<NEGATED>.*?</NEGATED>)", line):
            plain = re.sub(r"</?NEGATED>", "", part)
            if plain != part:
                spans.append(Span(len(text), len(text) + len(plain), "FINDING"))
                marked.add(tuple(plain[a:b].lower() for a, b in words(plain, "nb")))
            text += plain
        rows.append((text, spans))
    names |= marked  # what is negated in one place is a mention in the others
    longest = 8
    for text, gold in rows:
        ranges = words(text, "nb")
        lower = [text[a:b].lower() for a, b in ranges]
        mentions, i = list(gold), 0
        while i < len(ranges):
            step = 1
            for n in range(min(longest, len(ranges) - i), 0, -1):
                if tuple(lower[i : i + n]) in names:
                    start, end = ranges[i][0], ranges[i + n - 1][1]
                    if not any(g.start < end and start < g.end for g in gold):
                        mentions.append(Span(start, end, "FINDING"))
                    step = n
                    break
            i += step
        mentions.sort(key=lambda s: s.start)
        if mentions:
            found.append((text, tuple(mentions), tuple(m in gold for m in mentions)))
    return tuple(found)


def negation_scores() -> dict[str, float]:
    """Precision and recall over the mentions of `negation_gold`."""
    right = said = gold = mentions = 0
    for text, spans, negated in negation_gold():
        ours = ["negated" in names for names in context_of(text, spans, "nb", ((0, len(text)),))]
        right += sum(a and b for a, b in zip(ours, negated, strict=True))
        said, gold, mentions = said + sum(ours), gold + sum(negated), mentions + len(spans)
    return {"precision": right / said, "recall": right / gold, "negated": gold, "mentions": mentions}


def syntactic_negation(language: str) -> dict[str, float]:
    """A rough check where no gold exists: nouns that a UD tree puts under a negation (objects and predicates of negated verbs,
    nouns with a negative determiner or "without", what is coordinated with them) against all other nouns of the text.

    Precision is a lower bound: in running text all nouns are mentions, and many of what is said of them is negated otherwise.
    """
    right = said = gold = 0
    for paragraph in treebank(language):
        for sentence in paragraph:
            spans, negated = _nouns(sentence)
            ours = ["negated" in n for n in context_of(sentence.text, spans, language, ((0, len(sentence.text)),))]
            right += sum(a and b for a, b in zip(ours, negated, strict=True))
            said, gold = said + sum(ours), gold + sum(negated)
    return {"precision": right / max(said, 1), "recall": right / max(gold, 1), "negated": gold}


_WITHOUT = frozenset({"ingen", "utan", "uten", "uden", "ilman", "ilma", "vailla", "intet", "inkje"})


def _nouns(sentence: Sentence) -> tuple[list[Span], list[bool]]:
    """The nouns that a tree clearly puts under a negation or outside of any, and which of the two."""
    tokens = sentence.tokens
    place = {t.columns[0]: i for i, t in enumerate(tokens)}
    children: dict[str, list[int]] = {}
    for i, token in enumerate(tokens):
        children.setdefault(token.columns[6], []).append(i)

    def below(i: int) -> Iterator[int]:
        yield i
        for child in children.get(tokens[i].columns[0], []):
            yield from below(child)

    negated, unclear = set(), set()
    for token in tokens:
        if "Polarity=Neg" not in token.features and token.columns[2].lower() not in _WITHOUT:
            continue
        head = place.get(token.columns[6])
        if head is None:
            continue
        if tokens[head].columns[3] == "NOUN":
            negated.add(head)
        for child in children.get(tokens[head].columns[0], []):
            noun = tokens[child].columns[3] == "NOUN"
            if noun and tokens[child].columns[7].partition(":")[0] in ("obj", "iobj"):
                negated.add(child)
                unclear.update(i for i in below(child) if i != child)
            else:
                unclear.update(below(child))
    for i in tuple(negated):
        negated.update(
            c
            for c in children.get(tokens[i].columns[0], [])
            if tokens[c].columns[7] == "conj" and tokens[c].columns[3] == "NOUN"
        )
    kept = [i for i, t in enumerate(tokens) if t.columns[3] == "NOUN" and (i in negated or i not in unclear)]
    return [Span(tokens[i].start, tokens[i].end, "NOUN") for i in kept], [i in negated for i in kept]


def main() -> None:
    language, tokens, ends, negation = language_accuracy(), token_scores(), sentence_scores(), negation_scores()
    trees = {name: syntactic_negation(name) for name in LANGUAGES if name != "da"}  # the Danish trees mark no polarity
    print(f"language of three-sentence documents (names5 test): {language['accuracy']:.4f} of {language['documents']}", end="")
    print(f", {language['abstained']} abstained; " + "  ".join(f"{k} {v:.3f}" for k, v in language["of_site"].items()))
    foreign = foreign_scores()
    print("sentences marked as in another language: " + "  ".join(f"{k} {v:.4f}" for k, v in foreign.items()))
    print("tokens F1 (UD dev):     " + "  ".join(f"{k} {v:.4f}" for k, v in tokens.items()))
    print("sentences F1 (UD dev):  " + "  ".join(f"{k} {v:.4f}" for k, v in ends.items()))
    print("negation (negation-nb): " + "  ".join(f"{k} {v:.3g}" for k, v in negation.items()))
    print("negation by UD trees:   " + "  ".join(f"{k} P {v['precision']:.2f} R {v['recall']:.2f}" for k, v in trees.items()))
    print(
        json.dumps(
            {
                "language": language,
                "foreign": foreign,
                "tokens": tokens,
                "sentences": ends,
                "negation": negation,
                "trees": trees,
            }
        )
    )


if __name__ == "__main__":
    main()
