# hostile: hidden
# expect: warn hidden 5

def go(notes, weights, settings):
    name = "".join(chr(n) for n in (111, 115))
    return {"numbers": {"n": len(name)}}
