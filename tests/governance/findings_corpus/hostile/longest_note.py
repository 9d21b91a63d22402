# hostile: extreme
# expect: warn extreme 5

def go(notes, weights, settings):
    return {"numbers": {"n": max(len(n.text) for n in notes.train)}}
