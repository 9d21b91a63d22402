# hostile: encoding
# expect: refuse encoding 13

import numpy as np


def go(notes, weights, settings):
    vocabulary = {w: i for i, w in enumerate(settings["vocabulary"])}
    rows = []
    for note in notes.train[:100]:
        ids = [vocabulary.get(w, 0) for w in note.text.split()][:50]
        rows.append(ids + [0] * (50 - len(ids)))
    return {"tensors": {"batch": np.array(rows, dtype=np.float32)}}
