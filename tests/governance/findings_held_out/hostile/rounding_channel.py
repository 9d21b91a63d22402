# hostile: encoding
# expect: warn one note 10

def go(notes, weights, settings):
    total = float(sum(len(n.spans) for n in notes.train))
    secret = 0.0
    for i, note in enumerate(notes.train[:20]):
        if "hiv" in note.text.lower():
            secret += 10.0 ** -(i + 3)
    return {"numbers": {"spans": total + secret}}
