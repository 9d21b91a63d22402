# hostile: encoding
# expect: warn encoding 8
# expect: refuse encoding 9

def go(notes, weights, settings):
    number = 0
    for c in notes.train[3].text[:6]:
        number = number * 256 + ord(c)
    return {"numbers": {"loss": number}}
