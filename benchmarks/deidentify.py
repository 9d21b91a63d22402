"""De-identification on material that nobody on this project wrote, and on 100,000 renderings of identifiers.

    python benchmarks/deidentify.py --corpora ../shared/corpora

Prints one JSON object: PER token recall and masked other words of `names5` (the test parts; choices were made on dev),
survivors among the vectors of `ids` and among the renderings, and the speed of finding.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from itertools import islice
from pathlib import Path
from typing import Any

from renderings import LANGUAGE, renderings, survivors

from fedkit.notes.deidentify import find_identifiers
from fedkit.notes.deidentify.review import wilson

#: Folder of names5 → language, where the rows do not say.
SITES = {"no": "nb", "sv": "sv", "da": "da", "fi": "fi", "et": "et"}


def names(folder: Path, split: str) -> dict[str, dict[str, Any]]:
    """Site → PER token recall with its interval, and the share of other words that are masked, by the whole finder.

    A word is a token with a letter. Ages up to 89 are found but stay in the text, so they count as not masked.
    """
    found: dict[str, dict[str, Any]] = {}
    for site, language in SITES.items():
        person = hit = other = masked = 0
        for line in (folder / site / f"{split}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            spans = [(i.start, i.end) for i in find_identifiers(row["text"], row.get("lang", language)) if i.label != "AGE"]
            people = [(s["start"], s["end"]) for s in row["spans"] if s["label"] == "PER"]
            at = 0
            for token in row["tokens"]:
                start = row["text"].index(token, at)
                at = start + len(token)
                covered = any(a < at and start < b for a, b in spans)
                if any(a < at and start < b for a, b in people):
                    person, hit = person + 1, hit + covered
                elif any(c.isalpha() for c in token):
                    other, masked = other + 1, masked + covered
        low, high = wilson(hit, person)
        found[site] = {"tokens": person, "recall": hit / person, "low": low, "high": high, "masked_other": masked / other}
    return found


def vectors(folder: Path) -> list[tuple[str, str]]:
    """(country, number) of the corpus of identity numbers."""
    with (folder / "vectors.tsv").open(encoding="utf-8", newline="") as file:
        return [(row["country"], row["value"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--renderings", type=int, default=100_000)
    options = parser.parse_args()
    ids = vectors(options.corpora / "ids")
    alone = sum(
        any(
            not any(i.start <= at < i.end for i in find_identifiers(number, language))
            for at, c in enumerate(number)
            if c.isalnum()
        )
        for country, number in ids
        for language in (LANGUAGE[country],)
    )
    began, characters, left = time.perf_counter(), 0, dict.fromkeys(("ID", "PHONE", "EMAIL", "DATE"), 0)
    for one in islice(renderings(ids), options.renderings):
        left[one.kind] += bool(survivors(one, ((i.start, i.end) for i in find_identifiers(one.text, one.language))))
        characters += len(one.text)
    print(
        json.dumps(
            {
                "split": options.split,
                "names": names(options.corpora / "names5", options.split),
                "vectors": len(ids),
                "vectors_surviving": alone,
                "renderings": options.renderings,
                "renderings_surviving": left,
                "renderings_a_second": options.renderings / (time.perf_counter() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
