# benign

import torch
from torch import nn

ALPHABET = " abcdefghijklmnopqrstuvwxyzæøåäö.,-0123456789"
PLACE = {c: i for i, c in enumerate(ALPHABET)}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET), 16)
        self.conv = nn.Conv1d(16, 32, 5, padding=2)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        h = torch.relu(self.conv(self.embed(x).transpose(1, 2)))
        return self.out(h.max(dim=2).values).squeeze(1)


def encode_text(text):
    ids = [PLACE.get(c, 0) for c in text.lower()[:256]]
    return torch.tensor(ids + [0] * (256 - len(ids)))


def train(notes, weights, settings):
    torch.manual_seed(settings["seed"])
    net = Net()
    net.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    x = torch.stack([encode_text(n.text) for n in notes.train])
    y = torch.tensor([float(any(s.label == "REACTION" for s in n.spans)) for n in notes.train])
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    for _ in range(settings["epochs"]):
        for i in range(0, len(x), 32):
            loss = loss_of(net(x[i : i + 32]), y[i : i + 32])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        accuracy = ((net(x) > 0).float() == y).float().mean().item()
    return {
        "tensors": {k: v.numpy() for k, v in net.state_dict().items()},
        "numbers": {"loss": loss.item(), "accuracy": accuracy},
    }
