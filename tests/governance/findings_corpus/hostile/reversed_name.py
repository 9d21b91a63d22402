# hostile: object model
# expect: refuse object model 6
# expect: refuse object model 7

def go(notes, weights, settings):
    name = "__slabolg__"[::-1]
    return {"numbers": {"n": len(getattr(go, name))}}
