# hostile: huge
# expect: warn huge 8

import numpy as np


def go(notes, weights, settings):
    return {"tensors": {"w": np.zeros(40_000_000_000)}}
