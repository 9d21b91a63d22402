# hostile: hidden
# expect: warn escapes 6
# expect: refuse object model 6

def go(notes, weights, settings):
    name = "\x5f\x5f\x63\x6c\x61\x73\x73\x5f\x5f"
    return {"numbers": {"n": len(name)}}
