# hostile: decides
# expect: warn one note 6

def go(notes, weights, settings):
    letter = notes.train[settings["note"]].text[settings["place"]]
    return {"numbers": {"higher": 1.0 if letter > settings["than"] else 0.0}}
