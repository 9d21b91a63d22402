# benign

from collections import Counter
from itertools import combinations


def pairs(notes, weights, settings):
    labels = sorted(settings["labels"])
    seen = Counter()
    for note in notes.train:
        seen.update(combinations(sorted({s.label for s in note.spans}), 2))
    return {"numbers": {f"{a}+{b}": seen[a, b] for a, b in combinations(labels, 2)}}
