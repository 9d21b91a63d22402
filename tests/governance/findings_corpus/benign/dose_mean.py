# benign

import re
import statistics

DOSE = re.compile(r"(\d+(?:[.,]\d+)?)\s*mg")


def doses(notes, weights, settings):
    """The mean dose in mg over all mentions, if there are enough."""
    found = []
    for note in notes.train:
        for match in DOSE.finditer(note.text):
            found.append(float(match.group(1).replace(",", ".")))
    mean = statistics.fmean(found) if len(found) >= 50 else 0.0
    return {"numbers": {"mean": mean, "mentions": len(found)}}
