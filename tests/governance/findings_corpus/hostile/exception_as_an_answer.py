# hostile: errors
# expect: warn errors 5

def go(notes, weights, settings):
    assert "hiv" not in notes.train[0].text
    return {"numbers": {"n": len(notes.train)}}
