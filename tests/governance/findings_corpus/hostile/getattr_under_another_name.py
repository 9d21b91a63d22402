# hostile: object model
# expect: refuse object model 4

g = getattr


def go(notes, weights, settings):
    return {"numbers": {"n": len(g(notes, settings["what"]))}}
