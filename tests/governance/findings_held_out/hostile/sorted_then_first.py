# hostile: one note
# expect: warn one note 7

def go(notes, weights, settings):
    ordered = sorted(notes.train, key=lambda n: len(n.text), reverse=True)
    top = ordered[0]
    return {"numbers": {"spans": len(top.spans), "length": len(top.text)}}
