# benign

import math
from collections import Counter


def frequencies(notes, weights, settings):
    """Document frequency of the declared words."""
    words = settings["words"]
    seen = Counter()
    for note in notes.train:
        present = set(note.text.lower().split())
        seen.update(word for word in words if word in present)
    n = len(notes.train)
    return {"numbers": {f"idf.{word}": math.log((1 + n) / (1 + seen[word])) for word in words}}
