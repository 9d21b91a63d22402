# benign

import numpy as np


def embed(text, table, place):
    rows = [table[place[word]] for word in text.split() if word in place]
    return np.mean(rows, axis=0) if rows else np.zeros(table.shape[1])


def centre(notes, weights, settings):
    """The mean embedding of all notes."""
    place = {word: i for i, word in enumerate(settings["words"])}
    every = np.stack([embed(note.text, weights["table"], place) for note in notes.train])
    return {"tensors": {"centre": every.mean(axis=0).astype(np.float32)}, "numbers": {"notes": len(every)}}
