# hostile: identifiers
# expect: refuse identifiers 4

def cоunt(notes):
    return notes.train[0].text


def go(notes, weights, settings):
    return {"numbers": {"n": len(notes.train)}}
