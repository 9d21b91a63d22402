# hostile: state
# expect: warn one note 15

from functools import lru_cache


@lru_cache(maxsize=None)
def counter():
    return [0]


def go(notes, weights, settings):
    counter()[0] += 1
    if counter()[0] == 4:
        return {"numbers": {"n": float(len(notes.train[0].text))}}
    return {"numbers": {"n": float(len(notes.train))}}
