# hostile: per note
# expect: warn one note 10
# expect: warn per note 10

import numpy as np


def go(notes, weights, settings):
    ages = [int(n.text.split("år")[0].split()[-1]) for n in notes.train if "år" in n.text]
    return {"tensors": {"ages": np.sort(np.array(ages, dtype=np.float32))[:100]}}
