# hostile: loop
# expect: warn loop 11
# expect: warn loop 12
# expect: warn huge 13

import itertools


def go(notes, weights, settings):
    n = len(notes.train)
    while n > 0:
        for _ in itertools.count():
            m = n**100_000
            break_off = m
    return {"numbers": {"n": n}}
