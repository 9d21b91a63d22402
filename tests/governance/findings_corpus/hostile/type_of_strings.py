# hostile: object model
# expect: refuse object model 6
# expect: warn object model 6

def go(notes, weights, settings):
    made = type("X", (dict,), {"__missing__": lambda self, key: settings[key]})
    return {"numbers": {"n": made()["n"]}}
