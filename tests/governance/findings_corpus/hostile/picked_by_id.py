# hostile: one note
# expect: warn one note 5

def go(notes, weights, settings):
    chosen = [n for n in notes.train if n.patient == settings["patient"]]
    return {"numbers": {"n": sum(len(n.spans) for n in chosen)}}
