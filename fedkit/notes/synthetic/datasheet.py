"""The counts in `data_samples/DATASHEET.md`, made from the corpus: no number of that table is written by hand.

    python -m fedkit.notes.synthetic.datasheet data_samples

puts the table of the corpus between the two marks of the folder's data sheet.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fedkit.notes.concepts.tables import TABLES
from fedkit.notes.corpus import Corpus, read_corpus
from fedkit.notes.note import LANGUAGES
from fedkit.notes.synthetic.lexicon import concepts, of_split
from fedkit.notes.synthetic.templates import templates

BEGIN, END = "<!-- counts: made by a command, see below -->", "<!-- end of counts -->"
_SPLITS = ("train", "dev", "test")


def counts(corpus: Corpus) -> str:
    """Markdown tables: notes and spans of the corpus, concepts and templates behind it."""
    rows = [["site", "split", "notes", "patients", "characters", *corpus.labels]]
    for row in corpus.describe():
        spans = [f"{row['labels'][label]:,}" for label in corpus.labels]
        rows.append([row["site"], row["split"], f"{row['notes']:,}", f"{row['patients']:,}", f"{row['characters']:,}", *spans])
    words = [["concepts", *_SPLITS, "in all"]]
    for label in TABLES:
        words.append([label, *(str(len(of_split(label, split))) for split in _SPLITS), str(len(concepts(label)))])
    sentences = [["templates", *_SPLITS, "in all"]]
    for language in LANGUAGES:
        made = templates(language)
        sentences.append([language, *(str(sum(t.split == split for t in made)) for split in _SPLITS), str(len(made))])
    return "\n\n".join(_table(table) for table in (rows, words, sentences))


def fill(sheet: str, corpus: Corpus) -> str:
    """The sheet with the counts of `corpus` between its two marks. Raises ValueError if it has no such marks."""
    before, begin, rest = sheet.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("a data sheet with a place for the counts")
    return f"{before}{BEGIN}\n\n{counts(corpus)}\n\n{END}{after}"


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    rule = ["---", *("---:" if not body[0][i].isalpha() else "---" for i in range(1, len(head)))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    path = folder / "DATASHEET.md"
    path.write_text(fill(path.read_text("utf-8"), read_corpus(folder)), "utf-8")
