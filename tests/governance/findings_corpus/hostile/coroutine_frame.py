# hostile: object model
# expect: refuse object model 10

async def inner():
    return 1


def go(notes, weights, settings):
    c = inner()
    return {"numbers": {"n": len(c.cr_frame.f_builtins)}}
