# hostile: one note
# expect: warn one note 5

def go(notes, weights, settings):
    one = [n for i, n in enumerate(notes.train) if i == settings["i"]]
    return {"numbers": {"x": sum("hiv" in n.text for n in one)}}
