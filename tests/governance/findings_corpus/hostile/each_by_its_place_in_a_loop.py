# hostile: per note
# expect: warn per note 8

def go(notes, weights, settings):
    n, out = len(notes.train), {}
    for i in range(n):
        out[f"x{i}"] = float(len(notes.train[i].text))
    return {"numbers": out}
