# hostile: decides
# expect: warn one note 7

def go(notes, weights, settings):
    x = 0
    for note in notes.train:
        "hiv" in note.text and note.patient == settings["who"] and (x := 1)
    return {"numbers": {"x": x}}
