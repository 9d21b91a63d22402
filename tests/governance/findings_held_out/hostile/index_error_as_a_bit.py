# hostile: errors
# expect: warn errors 6

def go(notes, weights, settings):
    flag = "hiv" in notes.train[0].text.lower()
    [0][flag]
    return {"numbers": {"n": len(notes.train)}}
