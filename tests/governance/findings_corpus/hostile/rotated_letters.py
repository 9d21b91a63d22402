# hostile: hidden
# expect: warn hidden 6
# expect: warn hidden 7

def go(notes, weights, settings):
    name = "bcfa".translate({97: 111, 98: 112})
    other = b"bcra".decode("rot13")
    return {"numbers": {"n": len(name) + len(other)}}
