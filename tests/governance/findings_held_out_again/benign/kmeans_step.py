# benign

import numpy as np


def step(notes, weights, settings):
    """One step of federated k-means: sums and sizes of the clusters."""
    centres = weights["centres"]
    x = np.array([[len(n.text), len(n.spans), n.text.count("\n")] for n in notes.train], dtype=np.float32)
    nearest = np.argmin(((x[:, None, :] - centres[None]) ** 2).sum(axis=2), axis=1)
    sums = np.zeros_like(centres)
    sizes = np.zeros(len(centres), dtype=np.float32)
    for k in range(len(centres)):
        members = x[nearest == k]
        sums[k] = members.sum(axis=0)
        sizes[k] = len(members)
    return {"tensors": {"sums": sums, "sizes": sizes}}
