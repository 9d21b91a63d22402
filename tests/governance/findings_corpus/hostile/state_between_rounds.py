# hostile: state
# expect: warn state 9
# expect: warn one note 11

SEEN = []


def go(notes, weights, settings):
    SEEN.append(1)
    which = len(SEEN)
    return {"numbers": {"n": float(notes.train[which].text.count("a"))}}
