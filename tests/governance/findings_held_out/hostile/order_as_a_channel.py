# hostile: encoding
# expect: warn one note 7

def go(notes, weights, settings):
    rows = [{"word": w, "patients": 10} for w in settings["words"]]
    rows.sort(key=lambda row: row["word"] in notes.train[0].text)
    return {"tables": {"order": rows}}
