# hostile: object model
# expect: refuse object model 5

def go(notes, weights, settings):
    shown = "{0.__class__.__init__.__globals__}".format(notes)
    return {"numbers": {"n": len(shown)}}
