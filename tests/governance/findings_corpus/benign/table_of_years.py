# benign

from collections import defaultdict


def table(notes, weights, settings):
    """Patients with an implant by the year of the note."""
    by_year = defaultdict(set)
    for note in notes.train:
        if note.date and any(span.label == "IMPLANT" for span in note.spans):
            by_year[note.date[:4]].add(note.patient)
    rows = [{"year": year, "patients": len(patients)} for year, patients in sorted(by_year.items())]
    return {"tables": {"implants": rows}}
