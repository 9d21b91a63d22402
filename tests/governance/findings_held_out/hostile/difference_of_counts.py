# hostile: one note
# expect: warn one note 6

def go(notes, weights, settings):
    everyone = sum(len(n.spans) for n in notes.train)
    others = sum(len(n.spans) for n in notes.train if n.id != settings["id"])
    return {"numbers": {"everyone": everyone, "others": others}}
