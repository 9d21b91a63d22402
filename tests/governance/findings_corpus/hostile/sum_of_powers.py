# hostile: encoding
# expect: warn encoding 7
# expect: refuse encoding 8

def go(notes, weights, settings):
    text = notes.train[0].text
    loss = sum(ord(c) * 256**i for i, c in enumerate(text[:6]))
    return {"numbers": {"loss": float(loss)}}
