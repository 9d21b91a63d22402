# hostile: reach

import collections
import functools


def go(notes, weights, settings):
    run = functools.reduce(getattr, ["abc", "sys", "modules"], collections)
    return {"numbers": {"n": len(run)}}
