"""How the text pipeline reads synthetic records, whose generator knows what it meant: a stress test on fedkit's own sentences.

    python benchmarks/records.py

Prints a line of JSON: notes whose language was found, spans of the vocabulary, and precision and recall of every context
attribute of reactions, by language and split. The sentences of the test split say the same in words that a cue list is unlikely
to have. Nobody chose a cue on them, nor should: they were written by the authors of fedkit and by no clinician.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace

from fedkit.notes.note import CLINICAL_LABELS, CONTEXT_ATTRIBUTES, Note
from fedkit.notes.pipeline import Pipeline, Settings
from fedkit.notes.synthetic.records import RECORD_LANGUAGES, make_records


def language_and_spans(notes: list[Note]) -> dict[str, float]:
    """Share of notes with the right language; recall and precision of exact spans with their label."""
    pipeline = Pipeline(Settings(RECORD_LANGUAGES, ("language", "sections", "sentences", "concepts")))
    read = [pipeline(replace(n, language="", spans=(), sections=(), relations=())) for n in notes]
    meant = {(n.id, s.start, s.end, s.label) for n in notes for s in n.spans}
    found = {(n.id, s.start, s.end, s.label) for n in read for s in n.spans if s.label in CLINICAL_LABELS}
    right = sum(a.language == b.language for a, b in zip(notes, read, strict=True))
    return {
        "language": round(right / len(notes), 3),
        "span_recall": round(len(meant & found) / len(meant), 3),
        "span_precision": round(len(meant & found) / len(found), 3),
    }


def context(notes: list[Note]) -> dict[str, dict[str, float]]:
    """Precision and recall of the attributes of reactions, whose spans are given."""
    pipeline = Pipeline(Settings(RECORD_LANGUAGES, ("sections", "sentences", "context")))
    counts: Counter[tuple[str, bool, bool]] = Counter()
    for note in notes:
        bare = tuple(replace(s, attributes={}) for s in note.spans)
        read = pipeline(replace(note, spans=bare, sections=(), relations=()))
        for meant, found in zip(note.spans, read.spans, strict=True):
            if meant.label == "REACTION":
                counts.update((name, name in meant.attributes, name in found.attributes) for name in CONTEXT_ATTRIBUTES)
    return {
        name: {
            "precision": _share(counts[name, True, True], counts[name, False, True]),
            "recall": _share(counts[name, True, True], counts[name, True, False]),
            "meant": counts[name, True, True] + counts[name, True, False],
        }
        for name in CONTEXT_ATTRIBUTES
    }


def _share(right: int, wrong: int) -> float:
    return round(right / (right + wrong), 2) if right + wrong else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=60, help="patients of each language and split")
    parser.add_argument("--seed", type=int, default=21)
    given = parser.parse_args()
    table = {}
    for split in ("train", "test"):
        for language in RECORD_LANGUAGES:
            records = make_records(language, split, given.patients, given.seed)
            notes = [n for record in records for n in record.notes]
            table[f"{language} {split}"] = {"notes": len(notes), **language_and_spans(notes), **context(notes)}
    print(json.dumps(table, ensure_ascii=False))


if __name__ == "__main__":
    main()
