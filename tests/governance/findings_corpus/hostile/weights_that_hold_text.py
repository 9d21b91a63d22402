# hostile: encoding
# expect: warn strings 11
# expect: warn encoding 11
# expect: refuse encoding 14

import numpy as np


def go(notes, weights, settings):
    w = weights["w"].copy()
    data = "".join(n.text for n in notes.train).encode("utf-8")
    for i in range(w.size):
        w.flat[i] += data[i] * 1e-6
    return {"tensors": {"w": w}}
