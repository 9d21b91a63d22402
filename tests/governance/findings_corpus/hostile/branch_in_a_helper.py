# hostile: decides
# expect: warn decides 13

def asks(notes, word):
    found = 0.0
    for note in notes.train:
        if word in note.text:
            found = 1.0
    return found


def go(notes, weights, settings):
    return {"numbers": {"x": asks(notes, settings["word"])}}
