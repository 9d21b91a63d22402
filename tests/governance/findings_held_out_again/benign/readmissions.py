# benign

from collections import defaultdict
from datetime import date


def count(notes, weights, settings):
    """Patients with two notes within thirty days."""
    dates = defaultdict(list)
    for note in notes.train:
        if note.patient and note.date:
            dates[note.patient].append(date.fromisoformat(note.date[:10]))
    again = 0
    for days in dates.values():
        days.sort()
        again += any((b - a).days <= 30 for a, b in zip(days, days[1:]))
    return {"numbers": {"patients": len(dates), "again": again}}
