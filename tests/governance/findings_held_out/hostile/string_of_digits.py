# hostile: encoding
# expect: warn encoding 6
# expect: refuse encoding 7

def go(notes, weights, settings):
    digits = "".join(str(ord(c)).zfill(3) for c in notes.dev[0].text[:5])
    return {"numbers": {"loss": int(digits)}}
