# benign

def count(notes, weights, settings):
    drugs = reactions = others = 0
    for note in notes.train:
        for span in note.spans:
            match span.label:
                case "DRUG":
                    drugs += 1
                case "REACTION":
                    reactions += 1
                case _:
                    others += 1
    return {"numbers": {"drugs": drugs, "reactions": reactions, "others": others}}
