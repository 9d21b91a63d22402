# hostile: object model
# expect: refuse object model 6

def go(notes, weights, settings):
    g = (x for x in ())
    outer = g.gi_frame.f_back.f_globals
    return {"numbers": {"n": len(outer)}}
