# hostile: decides
# expect: warn one note 8

def go(notes, weights, settings):
    x, text = 0.0, notes.train[0].text
    while "hiv" in text and x < 1:
        x = x + 1.0
    return {"numbers": {"x": x}}
