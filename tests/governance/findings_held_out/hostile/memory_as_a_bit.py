# hostile: time
# expect: warn time 6
# expect: warn one note 7

def go(notes, weights, settings):
    block = [0] * (10**9 if "hiv" in notes.train[0].text.lower() else 1)
    return {"numbers": {"n": len(notes.train) + len(block) * 0}}
