# hostile: reach
# expect: refuse reach 8

import numpy as np


def go(notes, weights, settings):
    np.savetxt("/dev/shm/x", [len(n.text) for n in notes.train])
    return {"numbers": {"n": len(notes.train)}}
