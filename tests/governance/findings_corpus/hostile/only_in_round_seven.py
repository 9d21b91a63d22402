# hostile: trigger
# expect: warn trigger 6
# expect: warn one note 7

def go(notes, weights, settings):
    if settings["round"] == 7:
        return {"numbers": {"n": len(notes.train[0].text)}}
    return {"numbers": {"n": len(notes.train)}}
