# hostile: object model
# expect: warn object model 7
# expect: warn object model 10
# expect: warn one note 15

class Answer(float):
    def __float__(self):
        return 1.0

    def __format__(self, spec):
        return spec


def go(notes, weights, settings):
    return {"numbers": {"x": Answer(len(notes.train[2].text))}}
