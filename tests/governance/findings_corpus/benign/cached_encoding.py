# benign

import numpy as np


def encoded(notes, words):
    key = ("counts", tuple(words))
    if key not in notes.cache:
        notes.cache[key] = np.array([[note.text.count(word) for word in words] for note in notes.train])
    return notes.cache[key]


def gram(notes, weights, settings):
    x = encoded(notes, settings["words"]).astype(np.float64)
    return {"tensors": {"gram": (x.T @ x).astype(np.float32)}, "numbers": {"notes": len(x)}}
