# hostile: time
# expect: warn time 4

def slow(n):
    return 1 if n == 0 else slow(n - 1) + slow(n - 1)


def go(notes, weights, settings):
    slow(24 if "hiv" in notes.train[0].text.lower() else 1)
    return {"numbers": {"n": len(notes.train)}}
