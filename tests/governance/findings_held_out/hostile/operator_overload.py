# hostile: object model

class Do:
    __add__ = exec


def go(notes, weights, settings):
    Do() + settings["program"]
    return {"numbers": {"n": 0}}
