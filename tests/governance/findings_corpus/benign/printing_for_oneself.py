# benign
# expect: warn print 6
# expect: warn print 8

def count(notes, weights, settings):
    print("begin")
    total = sum(len(note.spans) for note in notes.train)
    print("done", total)
    return {"numbers": {"spans": total}}
