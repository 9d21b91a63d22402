# benign

import re
import statistics

END = re.compile(r"[.!?]+\s")


def describe(notes, weights, settings):
    counts = [len(END.split(note.text)) for note in notes.train]
    return {"numbers": {"mean": statistics.mean(counts), "median": statistics.median(counts), "n": len(counts)}}
