# hostile: per note
# expect: warn per note 5

def go(notes, weights, settings):
    return {"numbers": {f"x{i}": len(notes.train[i].text) for i in range(len(notes.train))}}
