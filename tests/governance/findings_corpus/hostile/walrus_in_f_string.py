# hostile: object model
# expect: refuse builtin 5

def go(notes, weights, settings):
    text = f"{(e := eval)}"
    return {"numbers": {"n": e("1") + len(text)}}
