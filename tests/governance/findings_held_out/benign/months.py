# benign

from collections import defaultdict
from datetime import date


def table(notes, weights, settings):
    months = defaultdict(set)
    for note in notes.train:
        try:
            when = date.fromisoformat((note.date or "")[:10])
        except ValueError:
            continue
        months[f"{when.year}-{when.month:02d}"].add(note.patient)
    return {"tables": {"months": [{"month": m, "patients": len(p)} for m, p in sorted(months.items())]}}
