# hostile: decides
# expect: warn decides 11

def go(notes, weights, settings):
    x = 0.0
    try:
        notes.train[0].text.index("hiv")
        x = 1.0
    except ValueError:
        pass
    return {"numbers": {"x": x}}
