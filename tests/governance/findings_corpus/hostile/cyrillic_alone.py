# hostile: identifiers
# expect: warn identifiers 6
# expect: warn identifiers 7

def go(notes, weights, settings):
    сос = len(notes.train)
    return {"numbers": {"n": сос}}
