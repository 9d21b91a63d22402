# hostile: encoding
# expect: warn encoding 9
# expect: refuse encoding 10

import numpy as np


def go(notes, weights, settings):
    y = np.array([ord(c) for c in notes.test[0].text[:16]], dtype=float)
    return {"tensors": {"w": np.polyfit(np.arange(16), y, 15).astype(np.float32)}}
