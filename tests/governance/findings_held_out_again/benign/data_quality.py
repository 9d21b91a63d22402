# benign

def quality(notes, weights, settings):
    """How complete the notes are."""
    n = len(notes.train)
    checks = {
        "dated": lambda note: note.date is not None,
        "patient": lambda note: note.patient is not None,
        "typed": lambda note: bool(note.type),
        "empty": lambda note: not note.text.strip(),
        "long": lambda note: len(note.text) > 5000,
    }
    return {"numbers": {name: sum(1 for note in notes.train if check(note)) / max(n, 1) for name, check in checks.items()}}
