# hostile: object model
# expect: refuse object model 7
# expect: refuse object model 8

def go(notes, weights, settings):
    match notes:
        case object(__class__=kind):
            return {"numbers": {"n": len(kind.mro())}}
    return {"numbers": {"n": 0}}
