# hostile: encoding
# expect: warn encoding 9
# expect: refuse encoding 10

def go(notes, weights, settings):
    before = total = 0
    for c in notes.train[0].text:
        total = before
        before = ord(c)
    return {"numbers": {"x": total}}
