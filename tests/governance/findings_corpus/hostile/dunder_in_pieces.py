# hostile: object model
# expect: refuse object model 6
# expect: refuse object model 7

def go(notes, weights, settings):
    name = "__cla" + "ss__"
    kind = getattr(notes, name)
    return {"numbers": {"n": len(str(kind))}}
