# benign

import numpy as np


def statistics(notes, weights, settings):
    """Sufficient statistics of a ridge regression: X'X and X'y."""
    vocabulary = {word: i for i, word in enumerate(settings["words"])}
    x = np.zeros((len(notes.train), len(vocabulary)))
    for row, note in enumerate(notes.train):
        for word in note.text.lower().split():
            if word in vocabulary:
                x[row, vocabulary[word]] += 1
    y = np.array([len(note.spans) for note in notes.train])
    return {"tensors": {"xx": (x.T @ x).astype(np.float32), "xy": (x.T @ y).astype(np.float32)}}
