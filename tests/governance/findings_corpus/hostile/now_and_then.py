# hostile: chance
# expect: warn time 10
# expect: warn chance 11

import random
from datetime import datetime


def go(notes, weights, settings):
    if random.random() < 0.5 and datetime.now().hour > 3:
        return {"numbers": {"n": 0}}
    return {"numbers": {"n": len(notes.train)}}
