# hostile: one note
# expect: warn one note 7

def go(notes, weights, settings):
    for note in notes.train:
        words = note.text.split()
    return {"numbers": {"n": len(words), "d": float("diabetes" in words)}}
