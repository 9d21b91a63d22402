# hostile: state
# expect: warn state 12
# expect: warn state 13
# expect: warn state 15
# expect: refuse patch 16
# expect: refuse patch 17
# expect: warn reach 17

import numpy as np


def go(notes, weights, settings, kept=[]):
    global turn
    turn = len(kept)
    go.turn = turn
    notes.train = ()
    setattr(np, "isfinite", len)
    return {"numbers": {"n": turn}}
