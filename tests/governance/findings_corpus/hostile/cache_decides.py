# hostile: state
# expect: warn state 7

def go(notes, weights, settings):
    notes.cache["n"] = notes.cache.get("n", 0) + 1
    if notes.cache["n"] == 5:
        return {"numbers": {"n": len(notes.test)}}
    return {"numbers": {"n": len(notes.train)}}
