# benign

import statistics


def describe(notes, weights, settings):
    lengths = [len(note.text.split()) for note in notes.train]
    if len(lengths) < 20:
        return {"numbers": {"notes": 0, "mean": 0.0, "spread": 0.0}}
    return {
        "numbers": {
            "notes": len(lengths),
            "mean": statistics.fmean(lengths),
            "spread": statistics.pstdev(lengths),
        }
    }
