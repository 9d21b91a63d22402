# hostile: one note
# expect: refuse encoding 9
# expect: warn one note 9

def go(notes, weights, settings):
    known = set(settings["known"])
    strange = {w for n in notes.train for w in n.text.split()} - known
    word = next(iter(strange))
    return {"numbers": {"length": len(word), "first": float("abcdefghijklmnopqrstuvwxyz".index(word[0]))}}
