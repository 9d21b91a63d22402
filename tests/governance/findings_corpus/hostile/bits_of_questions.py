# hostile: encoding
# expect: warn encoding 7
# expect: warn extreme 7

def go(notes, weights, settings):
    answers = [any(word in n.text for n in notes.train) for word in settings["words"]]
    return {"numbers": {"n": sum(a << i for i, a in enumerate(answers))}}
