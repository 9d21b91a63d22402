# benign

import numpy as np


def correlation(notes, weights, settings):
    lengths = np.array([len(n.text.split()) for n in notes.train], dtype=float)
    mentions = np.array([sum(s.label == "DRUG" for s in n.spans) for n in notes.train], dtype=float)
    if len(lengths) < 30 or lengths.std() == 0 or mentions.std() == 0:
        return {"numbers": {"r": 0.0, "n": 0}}
    return {"numbers": {"r": float(np.corrcoef(lengths, mentions)[0, 1]), "n": len(lengths)}}
