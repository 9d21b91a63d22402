# benign

import numpy as np


def sweep(notes, weights, settings):
    """Precision and recall of a word score at several thresholds."""
    scores = np.array([sum(settings["scores"].get(w, 0.0) for w in n.text.lower().split()) for n in notes.dev])
    gold = np.array([any(s.label == "REACTION" for s in n.spans) for n in notes.dev])
    numbers = {}
    for t in settings["thresholds"]:
        guess = scores > t
        numbers[f"tp@{t}"] = int((guess & gold).sum())
        numbers[f"fp@{t}"] = int((guess & ~gold).sum())
        numbers[f"fn@{t}"] = int((~guess & gold).sum())
    return {"numbers": numbers}
