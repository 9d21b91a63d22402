# hostile: object model
# expect: warn object model 8

from collections import namedtuple


def go(notes, weights, settings):
    kind = namedtuple("Row", settings["fields"], rename=True, module=settings["program"])
    return {"numbers": {"n": len(kind._fields)}}
