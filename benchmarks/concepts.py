"""How many drug names are found, by whom they were written, and how often an ordinary word is taken for one.

    python benchmarks/concepts.py --corpora ../shared/corpora

Prints a line of JSON. `rules` uses the international names alone (`atc.tsv`) and asks for the forms of six languages, which
fedkit wrote itself, `misspelt` for the same forms with one seeded slip of the finger each; `swedish` asks for the Swedish names
that another party published, of the codes that fedkit has; `finnish_known` counts the words of a Finnish list of drug words
(brand names and vaccines among them) that fedkit knows; the ordinary words are those of six treebanks of news and fiction.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

from fedkit.notes.concepts import Normaliser, Term, built_in
from fedkit.notes.concepts.grammar import CASES, form
from fedkit.notes.concepts.tables import entries
from fedkit.notes.note import LANGUAGES
from fedkit.notes.resources import read_table

LABELS = ("DRUG", "REACTION", "IMPLANT", "BODY_SITE")


def international() -> list[Term]:
    """The terms of the international names, without a word of the tables by language."""
    names = {row["name"] for row in read_table("concepts/atc.tsv")}
    return [t for t in built_in() if t.label == "DRUG" and t.language == "" and t.text in names]


def drug_forms() -> list[tuple[str, str, str]]:
    """(name, language, form) of every drug of the tables in every case."""
    return [
        (entry.name, language, form(language, entry.forms[language], case))
        for entry in entries("DRUG")
        for language in LANGUAGES
        for case in CASES[language]
    ]


def share_found(normaliser: Normaliser, forms: list[tuple[str, str, str]]) -> float:
    """Share of forms whose first concept is the drug they are a form of."""
    hits = 0
    for name, language, word in forms:
        match = normaliser.lookup(word, "DRUG", language)
        hits += match is not None and match.term.concepts[0].name == name
    return hits / len(forms)


def misspelt(forms: list[tuple[str, str, str]], seed: int = 1) -> list[tuple[str, str, str]]:
    """The forms of eight letters or more with one slip in each: two letters swapped, one left out, doubled, or another."""
    rng = random.Random(seed)
    found = []
    for name, language, word in forms:
        if len(word) < 8:
            continue
        at = rng.randrange(1, len(word) - 1)
        before, here, after = word[:at], word[at], word[at + 1 :]
        slips = (after[0] + here + after[1:], after, here + here + after, rng.choice("aeinrst") + after)
        found.append((name, language, before + rng.choice(slips)))
    return found


def exact_found(forms: list[tuple[str, str, str]]) -> float:
    """The same with exact matching of the international names: the peer."""
    names = {t.text.casefold(): t for t in international()}
    return sum(names[w.casefold()].concepts[0].name == name for name, _, w in forms if w.casefold() in names) / len(forms)


def swedish(corpora: Path, normaliser: Normaliser) -> tuple[float, int]:
    """Share of the published Swedish names whose code is among those given, and how many names were asked for."""
    known = {c.code for t in built_in() if t.label == "DRUG" for c in t.concepts if len(c.code) == 7}
    rows = [
        line.split("\t")[:2] for line in (corpora / "lex-sv-classifications/atc_sv.tsv").read_text("utf-8").splitlines()[1:]
    ]
    # The file also has codes of earlier years: a name counts if one of its codes is ours.
    codes: dict[str, set[str]] = {}
    for code, name in rows:
        if len(code) == 7:
            codes.setdefault(name.split("(")[0].strip(), set()).add(code)
    asked = {name: found for name, found in codes.items() if found & known and "kombination" not in name}
    hits = 0
    for name, found in asked.items():
        match = normaliser.lookup(name, "DRUG", "sv")
        hits += match is not None and bool(found & {c.code for c in match.term.concepts})
    return hits / len(asked), len(asked)


def confused(corpora: Path, normaliser: Normaliser) -> tuple[int, int]:
    """How many drugs of a published index are taken for another one, and how many names it has."""
    names: dict[str, set[str]] = {}
    for row in (corpora / "lex-atc-en/atc.tsv").read_text("utf-8").splitlines()[1:]:
        code, name, *_ = row.split("\t")
        if len(code) == 7 and " " not in name:
            names.setdefault(name.casefold(), set()).add(code)
    wrong = 0
    for name, codes in names.items():
        match = normaliser.lookup(name, "DRUG", "en")
        wrong += match is not None and not codes & {c.code for c in match.term.concepts}
    return wrong, len(names)


def categories(corpora: Path, normaliser: Normaliser) -> tuple[float, int]:
    """Of titles of the Norwegian and Swedish ICD-10 that are forms here: share in the code's category, and how many."""
    same = asked = 0
    for file, language in (("lex-nb-diagnoses/icd10_nb.tsv", "nb"), ("lex-sv-classifications/icd10se_sv.tsv", "sv")):
        for row in (corpora / file).read_text("utf-8").splitlines()[1:]:
            code, title = row.split("\t")[:2]
            title = title.removeprefix("Uspesifisert ").removesuffix(", ospecificerad")
            match = normaliser.lookup(title, "REACTION", language)
            if match and match.how == "form":
                asked += 1
                same += match.term.concepts[0].code[:3] == code[:3]
    return same / asked, asked


def finnish(corpora: Path, normaliser: Normaliser) -> float:
    """Share of the words of a Finnish list of drug words that are known."""
    words = (corpora / "lex-fi-laaketutka/drugs.txt").read_text("utf-8").split("\n")
    words = [w for w in words if w]
    return sum(normaliser.lookup(w, "DRUG", "fi") is not None for w in words) / len(words)


def ordinary(corpora: Path, normaliser: Normaliser) -> dict[str, object]:
    """Names per 1,000 words of treebanks by label, how many of them rest on rules, and words a second."""
    count, seconds = 0, 0.0
    names, rough = dict.fromkeys(LABELS, 0), dict.fromkeys(LABELS, 0)
    examples: dict[str, list[str]] = {label: [] for label in LABELS}
    for language in LANGUAGES:
        lines = (corpora / f"ud/{language}.dev.conllu").read_text("utf-8").splitlines()
        texts = [line.removeprefix("# text = ") for line in lines if line.startswith("# text = ")]
        count += sum(line[:1].isdigit() and "\tPUNCT\t" not in line for line in lines)
        began = time.process_time()
        found = [(text, span) for text in texts for span in normaliser.find(text, language, LABELS)]
        seconds += time.process_time() - began
        for text, span in found:
            names[span.label] += 1
            if span.attributes:
                rough[span.label] += 1
                examples[span.label].append(f"{text[span.start : span.end]}>{span.concepts[0].name}")
    return {
        "words": count,
        "words_per_second": round(count / seconds),
        "per_1000": {k: round(1000 * v / count, 3) for k, v in names.items()},
        "rough_per_1000": {k: round(1000 * v / count, 3) for k, v in rough.items()},
        "examples": {k: sorted(set(v))[:40] for k, v in examples.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of lex-* and ud")
    parser.add_argument("--examples", action="store_true", help="show ordinary words that were taken for names")
    given = parser.parse_args()
    rules, whole = Normaliser(international()), Normaliser()
    forms = drug_forms()
    swedish_share, swedish_names = swedish(given.corpora, whole)
    words = ordinary(given.corpora, whole)
    category_share, titles = categories(given.corpora, whole)
    wrong, index = confused(given.corpora, whole)
    if not given.examples:
        del words["examples"]
    print(
        json.dumps(
            {
                "forms": len(forms),
                "rules": share_found(rules, forms),
                "misspelt": share_found(rules, misspelt(forms)),
                "exact": exact_found(forms),
                "swedish": swedish_share,
                "swedish_names": swedish_names,
                "categories": category_share,
                "titles": titles,
                "confused": wrong,
                "index_names": index,
                "finnish_known": finnish(given.corpora, whole),
                **words,
            },
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
