# hostile: encoding
# expect: warn encoding 9
# expect: refuse encoding 12

import numpy as np


def go(notes, weights, settings):
    raw = np.frombuffer(notes.train[0].text.encode(), dtype=np.uint8)
    out = np.zeros(1024, dtype=np.float32)
    out[: len(raw)] = raw
    return {"tensors": {"w": out}}
