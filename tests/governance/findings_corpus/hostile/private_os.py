# hostile: reach
# expect: refuse reach 10
# expect: refuse reach 11

import random
import statistics


def go(notes, weights, settings):
    random._os.fork()
    statistics.sys.exit(3)
    return {"numbers": {}}
