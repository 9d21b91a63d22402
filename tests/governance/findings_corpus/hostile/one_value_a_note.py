# hostile: per note
# expect: warn per note 10
# expect: warn decides 10

import numpy as np


def go(notes, weights, settings):
    answers = np.array(["diabetes" in n.text for n in notes.train], dtype=np.float32)
    return {"tensors": {"w": answers}}
