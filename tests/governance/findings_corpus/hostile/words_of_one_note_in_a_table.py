# hostile: one note
# expect: warn one note 6

def go(notes, weights, settings):
    words = notes.train[0].text.split()
    return {"tables": {"t": [{"word": word, "n": 1} for word in words]}}
