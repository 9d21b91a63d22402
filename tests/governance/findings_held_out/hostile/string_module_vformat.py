# hostile: object model
# expect: refuse reach 8

import string


def go(notes, weights, settings):
    shown = string.Formatter().vformat(settings["template"], (notes,), {})
    return {"numbers": {"n": len(shown)}}
