# hostile: reach
# expect: refuse reach 9
# expect: warn reach 10

import numpy as np


def go(notes, weights, settings):
    libc = np.ctypeslib.load_library("libc.so.6", "/lib")
    libc.system(b"id")
    return {"numbers": {"n": 1}}
