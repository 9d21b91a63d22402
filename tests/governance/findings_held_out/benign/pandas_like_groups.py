# benign

from itertools import groupby


def by_language(note):
    return note.language


def table(notes, weights, settings):
    rows = []
    for language, group in groupby(sorted(notes.train, key=by_language), key=by_language):
        members = list(group)
        rows.append({"language": language, "patients": len({m.patient for m in members}), "notes": len(members)})
    return {"tables": {"languages": rows}}
