# hostile: errors
# expect: warn error text 7
# expect: warn errors 8

def go(notes, weights, settings):
    try:
        assert len(notes.train) > 5, f"only {len(notes.train)}"
    except:
        return {"numbers": {"n": 0}}
    return {"numbers": {"n": 1}}
