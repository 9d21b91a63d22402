# hostile: object model
# expect: warn object model 6
# expect: refuse builtin 7

class Run:
    def __class_getitem__(cls, item):
        return breakpoint


def go(notes, weights, settings):
    Run["x"]()
    return {"numbers": {"n": 0}}
