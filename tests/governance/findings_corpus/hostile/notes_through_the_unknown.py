# hostile: per note
# expect: warn per note 5

def go(notes, weights, settings):
    return {"tensors": {"w": notes.train}}
