# benign

def count(notes, weights, settings):
    if settings["split"] not in ("train", "dev"):
        raise ValueError("the split is train or dev")
    chosen = notes.train if settings["split"] == "train" else notes.dev
    if not chosen:
        raise ValueError("no notes")
    return {"numbers": {"notes": len(chosen), "words": sum(len(note.text.split()) for note in chosen)}}
