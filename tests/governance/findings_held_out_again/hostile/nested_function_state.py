# hostile: encoding
# expect: warn encoding 10
# expect: refuse encoding 14

def go(notes, weights, settings):
    secret = 0

    def push(c):
        nonlocal secret
        secret = secret * 128 + ord(c)

    for c in notes.train[1].text[:7]:
        push(c)
    return {"numbers": {"loss": float(secret)}}
