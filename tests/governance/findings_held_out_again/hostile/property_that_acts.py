# hostile: object model

class Answer(float):
    def __float__(self):
        return 1.0

    def __format__(self, spec):
        return spec


def go(notes, weights, settings):
    return {"numbers": {"x": Answer(len(notes.train[2].text))}}
