# hostile: encoding
# expect: warn encoding 13
# expect: refuse encoding 20

class Keeper:
    def __init__(self):
        self.kept = []

    def see(self, note):
        self.kept.extend(note.text)

    def out(self):
        return {f"k{i}": float(ord(c)) for i, c in enumerate(self.kept[:200])}


def go(notes, weights, settings):
    keeper = Keeper()
    for note in notes.train:
        keeper.see(note)
    return {"tensors": {}, "numbers": keeper.out()}
