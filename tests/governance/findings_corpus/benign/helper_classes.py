# benign

from dataclasses import dataclass


@dataclass
class Tally:
    found: int = 0
    missed: int = 0

    def add(self, note):
        if any(span.label == "DRUG" for span in note.spans):
            self.found += 1
        else:
            self.missed += 1


def count(notes, weights, settings):
    tally = Tally()
    for note in notes.dev:
        tally.add(note)
    return {"numbers": {"found": tally.found, "missed": tally.missed}}
