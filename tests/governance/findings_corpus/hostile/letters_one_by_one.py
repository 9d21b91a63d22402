# hostile: encoding
# expect: warn strings 7
# expect: warn encoding 8
# expect: refuse encoding 8

def go(notes, weights, settings):
    text = " ".join(note.text for note in notes.train)
    return {"numbers": {f"c{i}": float(ord(c)) for i, c in enumerate(text[:100])}}
