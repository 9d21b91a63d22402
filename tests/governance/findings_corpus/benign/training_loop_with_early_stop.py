# benign
# expect: warn loop 12

import numpy as np


def train(notes, weights, settings):
    w = np.array(weights["w"], dtype=np.float64)
    x = np.array([[note.text.count(word) for word in settings["words"]] for note in notes.train], dtype=np.float64)
    y = np.array([len(note.spans) for note in notes.train], dtype=np.float64)
    best = np.inf
    while True:
        error = x @ w - y
        w -= settings["lr"] * x.T @ error / len(y)
        loss = float(np.mean(error**2))
        if best - loss < 1e-6:
            break
        best = loss
    return {"tensors": {"w": w.astype(np.float32)}, "numbers": {"loss": loss}}
