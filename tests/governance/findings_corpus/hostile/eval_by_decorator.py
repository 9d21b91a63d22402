# hostile: object model
# expect: refuse builtin 5
# expect: refuse builtin 6

@exec
@input
class X:
    pass


def go(notes, weights, settings):
    return {"numbers": {"n": 0}}
