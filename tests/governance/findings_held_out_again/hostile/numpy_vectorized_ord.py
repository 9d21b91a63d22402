# hostile: encoding
# expect: warn one note 9

import numpy as np


def go(notes, weights, settings):
    f = np.vectorize(ord)
    return {"tensors": {"w": f(list(notes.train[0].text[:64])).astype(np.float32)}}
