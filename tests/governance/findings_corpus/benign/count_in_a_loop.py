# benign

def count(notes, weights, settings):
    diabetes, hypertension = 0, 0
    for note in notes.train:
        text = note.text.lower()
        if "diabetes" in text:
            diabetes += 1
        if "hypertensjon" in text or "hypertension" in text:
            hypertension += 1
    return {"numbers": {"diabetes": diabetes, "hypertension": hypertension}}
