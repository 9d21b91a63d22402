# hostile: decides
# expect: warn decides 6
# expect: warn extreme 6

def go(notes, weights, settings):
    return {"numbers": {"x": float(any("hiv" in n.text.lower() for n in notes.train))}}
