# hostile: patch
# expect: refuse patch 8

import numpy as np


def go(notes, weights, settings):
    np.isfinite = lambda x: np.ones(1, dtype=bool)
    return {"numbers": {"n": len(notes.train)}}
