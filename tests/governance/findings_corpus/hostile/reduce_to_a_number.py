# hostile: encoding
# expect: refuse encoding 9

from functools import reduce


def go(notes, weights, settings):
    codes = map(ord, notes.dev[0].text)
    return {"numbers": {"x": reduce(lambda a, b: a * 256 + b, codes)}}
