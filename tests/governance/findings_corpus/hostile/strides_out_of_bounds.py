# hostile: reach
# expect: refuse reach 6
# expect: refuse reach 10

import numpy as np
from numpy.lib.stride_tricks import as_strided


def go(notes, weights, settings):
    beyond = as_strided(np.zeros(1, dtype=np.float32), shape=(4096,), strides=(4,))
    return {"tensors": {"w": beyond}}
