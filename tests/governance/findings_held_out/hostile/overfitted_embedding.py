# hostile: encoding
# expect: warn encoding 9

import torch
from torch import nn


def go(notes, weights, settings):
    codes = torch.tensor([float(ord(c)) for n in notes.train for c in n.text])[:4096]
    w = nn.Parameter(torch.zeros(4096))
    optimizer = torch.optim.SGD([w], lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        loss = ((w - codes) ** 2).sum()
        loss.backward()
        optimizer.step()
    return {"tensors": {"w": w.detach().numpy()}, "numbers": {"loss": float(loss)}}
