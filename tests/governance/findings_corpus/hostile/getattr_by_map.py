# hostile: object model
# expect: refuse object model 5

def go(notes, weights, settings):
    found = list(map(getattr, [notes] * 2, settings["names"]))
    return {"numbers": {"n": len(found)}}
