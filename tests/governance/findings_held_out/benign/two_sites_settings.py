# benign

import numpy as np


def train(notes, weights, settings):
    """One epoch of least squares, with the learning rate of the round."""
    rate = settings["rates"][settings["round"] - 1]
    x = np.array([[1.0, len(n.text) / 1000, n.text.count("\n")] for n in notes.train])
    y = np.array([len(n.spans) for n in notes.train], dtype=float)
    w = weights["w"].astype(float)
    gradient = 2 * x.T @ (x @ w - y) / len(y)
    return {"tensors": {"w": (w - rate * gradient).astype(np.float32)}, "numbers": {"notes": len(y)}}
