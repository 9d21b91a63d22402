# benign

import numpy as np


def histogram(notes, weights, settings):
    lengths = np.array([len(note.text) for note in notes.train])
    counts, _ = np.histogram(lengths, bins=settings["edges"])
    return {"tensors": {"counts": counts.astype(np.float32)}}
