# benign

from collections import defaultdict


def drift(notes, weights, settings):
    """Share of notes with each label, by quarter."""
    totals, found = defaultdict(int), defaultdict(int)
    for note in notes.train:
        if not note.date:
            continue
        quarter = f"{note.date[:4]}Q{(int(note.date[5:7]) + 2) // 3}"
        totals[quarter] += 1
        for label in {span.label for span in note.spans}:
            found[quarter, label] += 1
    rows = []
    for quarter in settings["quarters"]:
        for label in settings["labels"]:
            share = found[quarter, label] / totals[quarter] if totals[quarter] else 0.0
            rows.append({"quarter": quarter, "label": label, "notes": totals[quarter], "share": round(share, 3)})
    return {"tables": {"drift": rows}}
