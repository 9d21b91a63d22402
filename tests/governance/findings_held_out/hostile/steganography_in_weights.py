# hostile: encoding
# expect: warn encoding 9
# expect: warn one note 13

import numpy as np


def go(notes, weights, settings):
    bits = np.unpackbits(np.frombuffer(notes.train[0].text.encode(), dtype=np.uint8))
    w = weights["w"].ravel().copy()
    n = min(len(bits), len(w))
    w[:n] = np.where(bits[:n] > 0, np.abs(w[:n]), -np.abs(w[:n]))
    return {"tensors": {"w": w.reshape(weights["w"].shape)}}
