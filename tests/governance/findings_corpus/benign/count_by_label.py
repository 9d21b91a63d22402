# benign

"""Counts mentions of each label in the training notes."""

from collections import Counter


def count(notes, weights, settings):
    counts = Counter(span.label for note in notes.train for span in note.spans)
    return {"numbers": {f"n.{label}": counts[label] for label in settings["labels"]}}
