# hostile: entry
# expect: refuse entry 12

def go(notes, weights, settings):
    return {"numbers": {"n": len(notes.train)}}


def other(notes, weights, settings):
    return {"numbers": {"n": 0}}


go = other
