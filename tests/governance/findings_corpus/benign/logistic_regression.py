# benign

import numpy as np


def features(note, words):
    tokens = note.text.lower().split()
    return [tokens.count(word) for word in words]


def train(notes, weights, settings):
    words = settings["words"]
    x = np.array([features(note, words) for note in notes.train], dtype=np.float64)
    y = np.array([any(s.label == "REACTION" for s in note.spans) for note in notes.train], dtype=np.float64)
    w = weights["w"].astype(np.float64)
    loss = 0.0
    for _ in range(settings["epochs"]):
        p = 1.0 / (1.0 + np.exp(-x @ w))
        w = w - settings["lr"] * (x.T @ (p - y)) / len(y)
        loss = float(-np.mean(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9)))
    return {"tensors": {"w": w.astype(np.float32)}, "numbers": {"loss": loss, "notes": len(y)}}
