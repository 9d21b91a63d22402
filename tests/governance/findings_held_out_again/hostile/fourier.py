# hostile: encoding
# expect: warn strings 9
# expect: refuse encoding 10

import numpy as np


def go(notes, weights, settings):
    codes = np.asarray(list(map(ord, " ".join(n.text for n in notes.train)))[:2048], dtype=np.float32)
    return {"tensors": {"spectrum": np.fft.rfft(codes).real.astype(np.float32)}}
