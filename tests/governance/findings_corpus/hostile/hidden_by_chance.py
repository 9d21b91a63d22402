# hostile: chance
# expect: warn chance 9

import random


def go(notes, weights, settings):
    key = random.random()
    return {"numbers": {"n": len(notes.train) * key}}
