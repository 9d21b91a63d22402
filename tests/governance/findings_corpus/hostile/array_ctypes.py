# hostile: reach
# expect: refuse reach 8

import numpy as np


def go(notes, weights, settings):
    address = np.zeros(8).ctypes.data
    return {"numbers": {"n": float(address % 2)}}
