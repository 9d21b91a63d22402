# benign

import math
from collections import defaultdict


def train(notes, weights, settings):
    words, classes = settings["words"], ("yes", "no")
    counts = {kind: defaultdict(int) for kind in classes}
    sizes = dict.fromkeys(classes, 0)
    for note in notes.train:
        kind = "yes" if any(s.label == "REACTION" for s in note.spans) else "no"
        sizes[kind] += 1
        for word in set(note.text.lower().split()):
            counts[kind][word] += 1
    numbers = {f"{kind}.{word}": math.log((counts[kind][word] + 1) / (sizes[kind] + 2)) for kind in classes for word in words}
    return {"numbers": numbers}
