# hostile: search
# expect: warn search 5

def go(notes, weights, settings):
    hits = sum("Ola Nordmann" in n.text and "hiv" in n.text.lower() for n in notes.train)
    return {"numbers": {"hits": hits}}
