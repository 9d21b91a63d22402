# benign

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, words, size):
        super().__init__()
        self.embed = nn.Embedding(words, size, padding_idx=0)
        self.layer = nn.TransformerEncoderLayer(size, 2, batch_first=True)
        self.head = nn.Linear(size, 2)

    def forward(self, ids, mask):
        hidden = self.layer(self.embed(ids), src_key_padding_mask=~mask)
        hidden = hidden.masked_fill(~mask.unsqueeze(-1), 0.0)
        return self.head(hidden.sum(1) / mask.sum(1, keepdim=True))


def collate(texts, vocabulary):
    rows = [[vocabulary.get(word, 1) for word in text.split()][:128] or [1] for text in texts]
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    return ids, ids != 0


def train(notes, weights, settings):
    torch.manual_seed(settings["seed"])
    vocabulary = {word: i + 2 for i, word in enumerate(settings["vocabulary"])}
    model = Encoder(len(vocabulary) + 2, 32)
    model.load_state_dict({k: torch.tensor(v) for k, v in weights.items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"])
    losses = []
    for start in range(0, len(notes.train), settings["batch"]):
        batch = notes.train[start : start + settings["batch"]]
        ids, mask = collate([note.text for note in batch], vocabulary)
        gold = torch.tensor([int(any(s.label == "REACTION" for s in note.spans)) for note in batch])
        loss = nn.functional.cross_entropy(model(ids, mask), gold)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    mean = sum(losses) / max(len(losses), 1)
    return {"tensors": {k: v.detach().numpy() for k, v in model.state_dict().items()}, "numbers": {"loss": mean}}
