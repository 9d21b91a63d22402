# benign

def doubles(notes, weights, settings):
    """How many notes say the same as another one."""
    seen, again = set(), 0
    for note in notes.train:
        text = " ".join(note.text.split())
        if text in seen:
            again += 1
        seen.add(text)
    return {"numbers": {"notes": len(notes.train), "again": again}}
