# hostile: object model
# expect: warn top level 5
# expect: refuse builtin 10

for eval in ():
    pass


def go(notes, weights, settings):
    return {"numbers": {"n": eval("1")}}
