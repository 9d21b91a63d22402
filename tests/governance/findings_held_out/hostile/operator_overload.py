# hostile: object model
# expect: refuse builtin 6
# expect: refuse object model 6

class Do:
    __add__ = exec


def go(notes, weights, settings):
    Do() + settings["program"]
    return {"numbers": {"n": 0}}
