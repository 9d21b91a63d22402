# hostile: object model
# expect: refuse builtin 5

def go(notes, weights, settings):
    def inner(x=eval("1")):
        return x

    return {"numbers": {"n": inner()}}
