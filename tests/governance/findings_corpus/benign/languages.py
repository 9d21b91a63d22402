# benign

def table(notes, weights, settings):
    rows = []
    for language in ("nb", "nn", "sv", "da", "fi", "et"):
        chosen = [note for note in notes.train if note.language == language]
        patients = {note.patient or note.id for note in chosen}
        rows.append({"language": language, "patients": len(patients), "notes": len(chosen)})
    return {"tables": {"languages": rows}}
