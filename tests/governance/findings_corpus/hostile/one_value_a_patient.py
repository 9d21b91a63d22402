# hostile: per note
# expect: warn per note 11

from collections import defaultdict


def go(notes, weights, settings):
    by_patient = defaultdict(int)
    for note in notes.train:
        by_patient[note.patient] += len(note.spans)
    return {"tensors": {}, "numbers": {f"p{i}": n for i, n in enumerate(by_patient.values())}}
