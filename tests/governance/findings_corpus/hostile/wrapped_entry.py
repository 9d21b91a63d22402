# hostile: entry
# expect: warn entry 8

def wrap(function):
    return lambda notes, weights, settings: {"numbers": {"n": len(notes.train[0].text)}}


@wrap
def go(notes, weights, settings):
    return {"numbers": {"n": len(notes.train)}}
