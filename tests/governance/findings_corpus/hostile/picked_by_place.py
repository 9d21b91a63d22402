# hostile: one note
# expect: warn one note 6

def go(notes, weights, settings):
    note = notes.train[int(weights["q"][0])]
    return {"numbers": {"n": len(note.spans)}}
