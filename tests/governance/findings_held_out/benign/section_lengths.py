# benign

import statistics
from collections import defaultdict


def describe(notes, weights, settings):
    lengths = defaultdict(list)
    for note in notes.train:
        for section in note.sections:
            lengths[section.name].append(section.end - section.start)
    numbers = {}
    for name in settings["sections"]:
        values = lengths[name]
        enough = len(values) >= 20
        numbers[f"{name}.mean"] = statistics.fmean(values) if enough else 0.0
        numbers[f"{name}.n"] = len(values) if enough else 0
    return {"numbers": numbers}
