# hostile: decides
# expect: warn one note 6

def go(notes, weights, settings):
    words = dict.fromkeys(notes.train[0].text.split(), 1.0)
    return {"numbers": {w: words.get(w, 0.0) for w in settings["words"]}}
