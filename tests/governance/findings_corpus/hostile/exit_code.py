# hostile: exit
# expect: refuse exit 7
# expect: warn errors 7

def go(notes, weights, settings):
    if "hiv" in notes.train[0].text:
        raise SystemExit(7)
    return {"numbers": {"n": 0}}
