# benign

import re
from collections import Counter

WORD = re.compile(r"\w+")


def table(notes, weights, settings):
    """How often each declared drug is mentioned."""
    wanted = set(settings["drugs"])
    seen = Counter()
    for note in notes.train:
        seen.update(word.lower() for word in WORD.findall(note.text) if word.lower() in wanted)
    return {"tables": {"drugs": [{"drug": drug, "mentions": seen[drug]} for drug in settings["drugs"]]}}
