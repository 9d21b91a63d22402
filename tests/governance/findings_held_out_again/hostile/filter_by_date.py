# hostile: one note
# expect: warn one note 5

def go(notes, weights, settings):
    chosen = [n for n in notes.train if n.date == "2024-03-05T14:23:11" and n.department == "Ortopedi"]
    return {"numbers": {"x": sum("hiv" in n.text for n in chosen)}}
