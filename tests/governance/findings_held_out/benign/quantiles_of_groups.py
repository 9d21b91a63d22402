# benign

import numpy as np


def describe(notes, weights, settings):
    """Deciles of the length of notes, each over at least a tenth of them."""
    lengths = np.array([len(n.text) for n in notes.train])
    return {"numbers": {f"q{q}": float(np.quantile(lengths, q / 10)) for q in range(1, 10)}}
