# hostile: object model
# expect: warn object model 7
# expect: warn object model 11
# expect: refuse builtin 12

class Meta(type):
    def __instancecheck__(cls, other):
        return cls.run(other)


class K(metaclass=Meta):
    run = staticmethod(lambda text: compile(text, "x", "exec"))


def go(notes, weights, settings):
    return {"numbers": {"n": float(isinstance(settings["p"], K) is not None)}}
