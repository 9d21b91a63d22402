# hostile: state
# expect: warn state 5

def go(notes, weights, settings):
    settings["labels"] = ["NAME"]
    return {"numbers": {"n": len(notes.train)}}
