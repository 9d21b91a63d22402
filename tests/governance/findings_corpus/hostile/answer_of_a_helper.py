# hostile: decides
# expect: warn decides 12

def asks(notes, word):
    for note in notes.train:
        if word in note.text:
            return 1.0
    return 0.0


def go(notes, weights, settings):
    return {"numbers": {"x": asks(notes, settings["word"])}}
