# hostile: time
# expect: warn time 6

def go(notes, weights, settings):
    wait = 10**7 if "hiv" in notes.train[0].text else 1
    for _ in range(wait):
        pass
    return {"numbers": {"n": len(notes.train)}}
