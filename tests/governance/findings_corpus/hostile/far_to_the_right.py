# hostile: hidden
# expect: warn hidden 6
# expect: refuse builtin 6

def go(notes, weights, settings):
    n = len(notes.train)                                                                                              ; n = eval("1")
    return {"numbers": {"n": n}}
