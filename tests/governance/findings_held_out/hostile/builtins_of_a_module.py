# hostile: reach
# expect: refuse object model 10
# expect: warn reach 10

import collections
import functools


def go(notes, weights, settings):
    run = functools.reduce(getattr, ["abc", "sys", "modules"], collections)
    return {"numbers": {"n": len(run)}}
