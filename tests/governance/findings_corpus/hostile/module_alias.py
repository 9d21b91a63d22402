# hostile: reach
# expect: warn reach 7
# expect: refuse reach 11

import numpy as np

q = np


def go(notes, weights, settings):
    return {"numbers": {"n": float(q.load("/etc/passwd").size)}}
