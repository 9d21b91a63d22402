# benign

def share(notes, weights, settings):
    negated = total = 0
    for note in [*notes.train, *notes.dev]:
        for span in note.spans:
            if span.label != settings["label"]:
                continue
            total += 1
            negated += span.attributes.get("negated") == "true"
    return {"numbers": {"share": negated / total if total else 0.0, "mentions": total}}
