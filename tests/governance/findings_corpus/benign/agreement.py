# benign

import numpy as np


def confusion(notes, weights, settings):
    """How often the label of one mention follows that of another in the same note."""
    labels = settings["labels"]
    place = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)), dtype=np.float32)
    for note in notes.train:
        spans = sorted(note.spans, key=lambda s: s.start)
        for before, after in zip(spans, spans[1:]):
            if before.label in place and after.label in place:
                table[place[before.label], place[after.label]] += 1
    return {"tensors": {"table": table}}
