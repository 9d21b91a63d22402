# hostile: reach
# expect: refuse reach 5
# expect: refuse reach 9

from fedkit.notes import store


def go(notes, weights, settings):
    with store.NoteStore("/data/notes.duckdb") as other:
        return {"numbers": {"n": len(list(other))}}
