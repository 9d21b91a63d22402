# hostile: object model
# expect: refuse builtin 6

def go(notes, weights, settings):
    nothing = [open for open in (1, 2)]
    return {"numbers": {"n": len(open("/etc/passwd").name) + len(nothing)}}
