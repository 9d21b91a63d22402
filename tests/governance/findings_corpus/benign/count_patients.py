# benign

def count(notes, weights, settings):
    """Patients whose notes mention a word, each once."""
    word = settings["word"].lower()
    patients = {note.patient for note in notes.train if note.patient is not None and word in note.text.lower()}
    return {"numbers": {"patients": len(patients)}}
