# benign

def words(notes):
    return {word for note in notes for word in note.text.lower().split()}


def overlap(notes, weights, settings):
    """Share of the test vocabulary that training has seen."""
    train, test = words(notes.train), words(notes.test)
    return {"numbers": {"share": len(train & test) / max(len(test), 1), "train": len(train), "test": len(test)}}
