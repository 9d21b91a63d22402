# benign

def tell(notes, weights, settings):
    """Navn på norsk er ærlige navn."""
    antall_pasienter = len({note.patient for note in notes.train})
    kjønn_nevnt = sum("kvinne" in note.text or "mann" in note.text for note in notes.train)
    return {"numbers": {"pasienter": antall_pasienter, "kjønn": kjønn_nevnt}}


def count(notes, weights, settings):
    return tell(notes, weights, settings)
