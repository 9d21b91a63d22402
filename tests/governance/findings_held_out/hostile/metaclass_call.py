# hostile: object model
# expect: refuse builtin 7
# expect: warn object model 10

class Meta(type):
    def __getitem__(cls, item):
        return eval(item)


class Run(metaclass=Meta):
    pass


def go(notes, weights, settings):
    return {"numbers": {"n": Run[settings["program"]]}}
