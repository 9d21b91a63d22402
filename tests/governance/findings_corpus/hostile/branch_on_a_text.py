# hostile: decides
# expect: warn search 7
# expect: warn decides 8

def go(notes, weights, settings):
    for note in notes.train:
        if "Kari Nordmann" in note.text:
            return {"numbers": {"x": 1}}
    return {"numbers": {"x": 0}}
