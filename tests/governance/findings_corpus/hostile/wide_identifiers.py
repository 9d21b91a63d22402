# hostile: identifiers
# expect: refuse identifiers 6
# expect: refuse builtin 6

def go(notes, weights, settings):
    return {"numbers": {"n": ｅｖａｌ("1")}}
