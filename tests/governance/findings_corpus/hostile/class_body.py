# hostile: object model
# expect: refuse builtin 5

class X:
    open("/etc/passwd")


def go(notes, weights, settings):
    return {"numbers": {"n": 0}}
