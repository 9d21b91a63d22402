# benign

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, words, size, labels):
        super().__init__()
        self.embed = nn.Embedding(words, size)
        self.out = nn.Linear(size, labels)

    def forward(self, ids):
        return self.out(self.embed(ids))


def batches(notes, vocabulary, labels, size):
    for start in range(0, len(notes), size):
        for note in notes[start : start + size]:
            words = note.text.split()
            if not words:
                continue
            ids = torch.tensor([vocabulary.get(word.lower(), 0) for word in words])
            tags = torch.zeros(len(words), dtype=torch.long)
            for span in note.spans:
                first = len(note.text[: span.start].split())
                tags[first] = labels.index(span.label)
            yield ids, tags


def train(notes, weights, settings):
    torch.manual_seed(settings["seed"])
    model = Tagger(len(settings["vocabulary"]) + 1, 32, len(settings["labels"]))
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"])
    total, seen = 0.0, 0
    for _ in range(settings["epochs"]):
        for ids, tags in batches(notes.train, settings["vocabulary"], settings["labels"], 16):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(ids), tags)
            loss.backward()
            optimizer.step()
            total += loss.item()
            seen += 1
    tensors = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}
    return {"tensors": tensors, "numbers": {"loss": total / max(seen, 1)}}
